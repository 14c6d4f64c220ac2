/* Pushing to a registry, and indexes in it. FUSION_REGISTRY is one that anybody may write to;
 * scripts/test-c.sh starts it. */
#include "check.h"

#include <unistd.h>

enum { LENGTH = 512 };

/* Below which everything of this program goes: the registry serves others too. */
static char base[LENGTH];

/* FORMAT with one `%s` for the base. */
static const char *under(char *text, const char *format)
{
    int length = snprintf(text, LENGTH, format, base);
    CHECK(length > 0 && length < LENGTH);
    return text;
}

/* Ends the program unless a value of the report is `expected`. */
static void tells(fusion_report *report, const char *pointer, const char *expected)
{
    CHECK_TEXT(fusion_report_get(report, pointer), expected);
}

static fusion_report *push(const char *source, const fusion_options *options)
{
    fusion_report *report = NULL;
    fusion_error *error = NULL;
    CHECK_STATUS(fusion_push(&source, 1, base, options, &report, &error), FUSION_STATUS_OK, error);
    tells(report, "/command", "push");
    tells(report, "/destination/kind", "registry");
    tells(report, "/destination/location", base);
    CHECK(fusion_report_image_count(report) > 0);
    return report;
}

/* The number of an image in a report. */
static size_t numbered(const fusion_report *report, const char *reference)
{
    for (size_t image = 0; image < fusion_report_image_count(report); image++)
        if (strcmp(fusion_report_image_reference(report, image), reference) == 0)
            return image;
    fprintf(stderr, "no %s in %s\n", reference, fusion_report_json(report));
    exit(1);
}

static const char *of_image(fusion_report *report, size_t image, const char *field)
{
    char pointer[LENGTH];
    snprintf(pointer, sizeof pointer, "/images/%zu/%s", image, field);
    return fusion_report_get(report, pointer);
}

static const char hello[] = "docker.io/library/hello:1.0";

/* One architecture, then the other: both stay; then there is nothing to do. */
static void one_after_the_other(pair sources, fusion_options *options)
{
    char target[LENGTH];
    under(target, "%s/library/hello:1.0");
    CHECK(fusion_options_set(options, "dry-run", "true", NULL) == FUSION_STATUS_OK);
    fusion_report *report = push(sources.paths[0], options);
    tells(report, "/dry_run", "true");
    CHECK(strcmp(fusion_report_get(report, "/bytes/uploaded"), "0") != 0);
    fusion_report_free(report);
    CHECK(fusion_options_set(options, "dry-run", "false", NULL) == FUSION_STATUS_OK);

    report = push(sources.paths[0], options);
    size_t image = numbered(report, hello);
    CHECK_TEXT(of_image(report, image, "target"), target);
    CHECK_TEXT(of_image(report, image, "action"), "created");
    CHECK(of_image(report, image, "previous_digest") == NULL);
    CHECK(strcmp(fusion_report_get(report, "/blobs/uploaded"), "0") != 0);
    char *first = strdup(of_image(report, image, "digest"));
    fusion_report_free(report);

    report = push(sources.paths[1], options);
    image = numbered(report, hello);
    CHECK_TEXT(of_image(report, image, "action"), "merged");
    CHECK_TEXT(of_image(report, image, "previous_digest"), first);
    CHECK_TEXT(of_image(report, image, "platforms/0/platform"), "linux/amd64");
    CHECK_TEXT(of_image(report, image, "platforms/1/platform"), "linux/arm64");
    fusion_report_free(report);
    free(first);

    for (size_t one = 0; one < 2; one++) {
        report = push(sources.paths[one], options);
        for (image = 0; image < fusion_report_image_count(report); image++)
            CHECK_TEXT(of_image(report, image, "action"), "unchanged");
        tells(report, "/bytes/uploaded", "0");
        tells(report, "/blobs/uploaded", "0");
        fusion_report_free(report);
    }
}

/* An image of the registry is a source, and a registry a destination of fusion_fuse. */
static void registries_as_sources(pair sources, const fusion_options *options)
{
    char source[LENGTH], output[LENGTH];
    fusion_report *report = NULL;
    fusion_error *error = NULL;
    under(source, "docker://%s/library/hello:1.0");
    CHECK_STATUS(fusion_inspect(source, options, &report, &error), FUSION_STATUS_OK, error);
    tells(report, "/images/0/platforms/0/platform", "linux/amd64");
    tells(report, "/images/0/platforms/1/platform", "linux/arm64");
    fusion_report_free(report);
    report = NULL;
    const char *one = source;
    CHECK_STATUS(fusion_verify(&one, 1, options, &report, &error), FUSION_STATUS_OK, error);
    tells(report, "/status", "ok");
    fusion_report_free(report);
    report = NULL;

    char *archive = join(folder("FUSION_SCRATCH"), "pulled.tar");
    CHECK_STATUS(fusion_fuse(&one, 1, archive, options, NULL, &error), FUSION_STATUS_OK, error);
    CHECK(access(archive, F_OK) == 0);
    free(archive);

    under(output, "docker://%s");
    CHECK_STATUS(fusion_fuse(SOURCES(sources), output, options, &report, &error), FUSION_STATUS_OK,
                 error);
    tells(report, "/command", "fuse");
    tells(report, "/destination/kind", "registry");
    tells(report, "/bytes/uploaded", "0");
    fusion_report_free(report);
}

/* What `docker manifest create`, `annotate` and `push` do. */
static void indexes(const fusion_options *options)
{
    char target[LENGTH], source[LENGTH], told[LENGTH];
    fusion_report *report = NULL;
    fusion_error *error = NULL;
    under(target, "%s/all/hello:1.0");
    under(source, "%s/library/hello:1.0");
    const char *one = source;
    CHECK_STATUS(fusion_index_create(target, &one, 1, options, &report, &error), FUSION_STATUS_OK,
                 error);
    tells(report, "/command", "index create");
    tells(report, "/images/0/action", "created");
    tells(report, "/images/0/platforms/1/platform", "linux/arm64");
    tells(report, "/bytes/uploaded", "0");
    fusion_report_free(report);
    report = NULL;

    fusion_options *more = fusion_options_new();
    CHECK(fusion_options_set(more, "plain-http", "true", NULL) == FUSION_STATUS_OK);
    CHECK(fusion_options_add(more, "remove", "linux/arm64", NULL) == FUSION_STATUS_OK);
    CHECK_STATUS(fusion_index_create(target, NULL, 0, more, &report, &error), FUSION_STATUS_OK,
                 error);
    tells(report, "/images/0/platforms/0/platform", "linux/amd64");
    CHECK(fusion_report_get(report, "/images/0/platforms/1") == NULL);
    fusion_report_free(report);
    report = NULL;
    fusion_options_free(more);

    /* An image that says the wrong platform, added to what is there. */
    more = fusion_options_new();
    CHECK(fusion_options_set(more, "append", "true", NULL) == FUSION_STATUS_OK);
    CHECK(fusion_options_set(more, "plain-http", "true", NULL) == FUSION_STATUS_OK);
    under(told, "%s/acme/amdonly:0.3=linux/riscv64");
    one = told;
    CHECK_STATUS(fusion_index_create(target, &one, 1, more, &report, &error), FUSION_STATUS_OK,
                 error);
    tells(report, "/images/0/platforms/0/platform", "linux/amd64");
    tells(report, "/images/0/platforms/1/platform", "linux/riscv64");
    fusion_report_free(report);
    fusion_options_free(more);
}

/* A line of a log that must not have the password in it. */
static void listen(const fusion_log *line, void *user_data)
{
    size_t *lines = user_data;
    CHECK(strstr(line->message, "hunter2") == NULL);
    *lines += 1;
}

/* Nothing gives the password back. */
static void secrets(pair sources)
{
    fusion_options *options = fusion_options_new();
    fusion_report *report = NULL;
    fusion_error *error = NULL;
    size_t lines = 0;
    CHECK(fusion_options_set(options, "plain-http", "true", NULL) == FUSION_STATUS_OK);
    CHECK(fusion_options_set(options, "username", "robot$ci", NULL) == FUSION_STATUS_OK);
    CHECK(fusion_options_set(options, "password", "hunter2", NULL) == FUSION_STATUS_OK);
    fusion_options_set_log(options, listen, &lines, FUSION_LOG_TRACE);
    CHECK_STATUS(fusion_push(SOURCES(sources), base, options, &report, &error), FUSION_STATUS_OK,
                 error);
    CHECK(lines > 0 && strstr(fusion_report_json(report), "hunter2") == NULL);
    fusion_report_free(report);
    CHECK(fusion_options_set(options, "password", "hunter2\xff", &error) == FUSION_STATUS_USAGE);
    CHECK(strstr(fusion_error_message(error), "hunter2") == NULL);
    fusion_error_free(error);
    error = NULL;
    CHECK(fusion_push(SOURCES(sources), "hub", options, NULL, &error) == FUSION_STATUS_USAGE);
    CHECK(strstr(fusion_error_report_json(error), "hunter2") == NULL);
    fusion_error_free(error);
    fusion_options_free(options);
}

/* A flag that is up: nothing is sent. */
static void stopped(pair sources)
{
    fusion_options *options = fusion_options_new();
    fusion_stop *stop = fusion_stop_new();
    fusion_error *error = NULL;
    CHECK(fusion_options_set(options, "plain-http", "true", NULL) == FUSION_STATUS_OK);
    fusion_options_set_stop(options, stop);
    fusion_stop_request(stop);
    CHECK_STATUS(fusion_push(SOURCES(sources), base, options, NULL, &error),
                 FUSION_STATUS_CANCELLED, error);
    fusion_stop_free(stop);
    fusion_options_free(options);
}

int main(void)
{
    snprintf(base, sizeof base, "%s/c-%ld", folder("FUSION_REGISTRY"), (long)getpid());
    pair sources = real_pair();
    fusion_options *options = fusion_options_new();
    CHECK(fusion_options_set(options, "plain-http", "true", NULL) == FUSION_STATUS_OK);
    one_after_the_other(sources, options);
    registries_as_sources(sources, options);
    indexes(options);
    secrets(sources);
    stopped(sources);
    fusion_options_free(options);
    pair_free(sources);
    return 0;
}
