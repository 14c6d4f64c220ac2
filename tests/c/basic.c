/* The first program anybody writes: fuse, look inside, verify. */
#include "check.h"

int main(void)
{
    pair sources = real_pair();
    char *output = join(folder("FUSION_SCRATCH"), "basic.tar");
    fusion_report *report = NULL;
    fusion_error *error = NULL;

    /* A plan writes nothing, with a destination and without. */
    CHECK_STATUS(fusion_plan(SOURCES(sources), output, NULL, &report, &error), FUSION_STATUS_OK,
                 error);
    CHECK_TEXT(fusion_report_get(report, "/dry_run"), "true");
    CHECK(fopen(output, "rb") == NULL);
    fusion_report_free(report);
    CHECK_STATUS(fusion_plan(SOURCES(sources), NULL, NULL, &report, &error), FUSION_STATUS_OK,
                 error);
    CHECK(fusion_report_get(report, "/destination") == NULL);
    fusion_report_free(report);

    CHECK_STATUS(fusion_fuse(SOURCES(sources), output, NULL, &report, &error), FUSION_STATUS_OK,
                 error);
    CHECK_TEXT(fusion_report_get(report, "/schema"), "fusion.report/v1");
    CHECK_TEXT(fusion_report_get(report, "/status"), "ok");
    CHECK_TEXT(fusion_report_get(report, "/destination/location"), output);
    CHECK(fusion_report_get(report, "/error") == NULL);
    size_t images = fusion_report_image_count(report);
    CHECK(images > 0);
    for (size_t at = 0; at < images; at++) {
        const char *digest = fusion_report_image_digest(report, at);
        CHECK(digest != NULL && strncmp(digest, "sha256:", 7) == 0 && strlen(digest) == 71);
        CHECK(strstr(fusion_report_json(report), digest) != NULL);
        CHECK(strchr(fusion_report_image_reference(report, at), ':') != NULL);
    }
    /* The first image is there for amd64 only, which is said; the second for both. */
    CHECK_TEXT(fusion_report_get(report, "/images/0/platforms/0/platform"), "linux/amd64");
    CHECK(fusion_report_get(report, "/images/0/platforms/1/platform") == NULL);
    CHECK(strstr(fusion_report_get(report, "/warnings"), "\"missing-platform\"") != NULL);
    CHECK_TEXT(fusion_report_image_reference(report, 1), "docker.io/library/hello:1.0");
    CHECK_TEXT(fusion_report_get(report, "/images/1/platforms/0/platform"), "linux/amd64");
    CHECK_TEXT(fusion_report_get(report, "/images/1/platforms/1/platform"), "linux/arm64");
    CHECK_TEXT(fusion_report_get(report, "/images/0/digest"),
               fusion_report_image_digest(report, 0));
    CHECK(fusion_report_image_digest(report, images) == NULL);
    CHECK(fusion_report_image_reference(report, (size_t)-1) == NULL);

    /* What was written is what was reported. */
    fusion_report *inspection = NULL;
    CHECK_STATUS(fusion_inspect(output, NULL, &inspection, &error), FUSION_STATUS_OK, error);
    CHECK_TEXT(fusion_report_get(inspection, "/schema"), "fusion.inspect/v1");
    CHECK(fusion_report_image_count(inspection) == images);
    for (size_t at = 0; at < images; at++) {
        CHECK_TEXT(fusion_report_image_digest(inspection, at),
                   fusion_report_image_digest(report, at));
        CHECK_TEXT(fusion_report_image_reference(inspection, at),
                   fusion_report_image_reference(report, at));
    }
    fusion_report_free(inspection);

    /* One image of it. */
    fusion_options *options = fusion_options_new();
    CHECK_STATUS(fusion_options_set(options, "reference",
                                    fusion_report_image_reference(report, 0), &error),
                 FUSION_STATUS_OK, error);
    CHECK_STATUS(fusion_inspect(output, options, &inspection, &error), FUSION_STATUS_OK, error);
    CHECK(fusion_report_image_count(inspection) == 1);
    fusion_report_free(inspection);

    const char *written = output;
    fusion_report *verification = NULL;
    CHECK_STATUS(fusion_verify(&written, 1, NULL, &verification, &error), FUSION_STATUS_OK, error);
    CHECK_TEXT(fusion_report_get(verification, "/schema"), "fusion.verify/v1");
    CHECK_TEXT(fusion_report_get(verification, "/status"), "ok");
    CHECK(fusion_report_image_count(verification) == 0);
    fusion_report_free(verification);
    fusion_report_free(report);

    /* The second time the destination is in the way; the report of the failure says so too. */
    CHECK(fusion_fuse(SOURCES(sources), output, NULL, NULL, &error)
          == FUSION_STATUS_DESTINATION_EXISTS);
    CHECK(fusion_error_status(error) == FUSION_STATUS_DESTINATION_EXISTS);
    CHECK_TEXT(fusion_error_kind(error), "destination-exists");
    CHECK_TEXT(fusion_error_path(error), output);
    CHECK(strstr(fusion_error_hint(error), "--on-existing") != NULL);
    CHECK(strstr(fusion_error_report_json(error), "\"destination-exists\"") != NULL);
    CHECK(strstr(fusion_error_report_json(error), "fusion.report/v1") != NULL);
    CHECK(fusion_error_offset(error) == -1);
    fusion_error_free(error);
    error = NULL;

    /* With the option it is replaced; nobody has to want report or error. */
    CHECK(fusion_options_set(options, "on-existing", "replace", NULL) == FUSION_STATUS_OK);
    CHECK(fusion_fuse(SOURCES(sources), output, options, NULL, NULL) == FUSION_STATUS_OK);

    /* Repeatable options add up; a choice that leaves nothing is said. */
    CHECK(fusion_options_add(options, "exclude", "*", NULL) == FUSION_STATUS_OK);
    CHECK(fusion_options_add(options, "exclude", "*:*", NULL) == FUSION_STATUS_OK);
    CHECK(fusion_fuse(SOURCES(sources), output, options, NULL, NULL)
          == FUSION_STATUS_NOTHING_SELECTED);
    CHECK(fusion_options_add(options, "verify", "full", NULL) == FUSION_STATUS_USAGE);
    CHECK(fusion_options_add(options, "reference", "a", NULL) == FUSION_STATUS_USAGE);
    CHECK(fusion_options_set(options, "passphrase", "x", NULL) == FUSION_STATUS_USAGE);

    fusion_options_free(options);
    free(output);
    pair_free(sources);
    return 0;
}
