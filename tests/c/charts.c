/* Charts with their images. FUSION_REGISTRY is a registry that anybody may write to, FUSION_BUNDLES the
 * folder with the bundles and packages of the golden reports; scripts/test-c.sh names both. */
#include "check.h"

#include <unistd.h>

enum { LENGTH = 1024 };

/* Below which every name of this program goes: the registry serves others too. */
static char project[64];

static void tells(fusion_report *report, const char *pointer, const char *expected)
{
    CHECK_TEXT(fusion_report_get(report, pointer), expected);
}

/* A file in the scratch folder, with `text` in it; to be freed. */
static char *write_file(const char *name, const char *text)
{
    char *path = join(folder("FUSION_SCRATCH"), name);
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
    return path;
}

/* The configuration of a sync into the registry and a folder; to be freed. */
static char *load_image(void)
{
    char text[LENGTH];
    int length = snprintf(text, sizeof text,
                          "source: {intermediateBundlesPath: nowhere}\n"
                          "target:\n"
                          "  containerRegistry: %s\n"
                          "  containerRepository: %s\n"
                          "  repo: {kind: LOCAL, path: \"%s/charts\"}\n",
                          folder("FUSION_REGISTRY"), project, folder("FUSION_SCRATCH"));
    CHECK(length > 0 && length < LENGTH);
    return write_file("load-image.yaml", text);
}

static fusion_options *of_bundles(const char *first, const char *second)
{
    const char *names[] = {first, second};
    fusion_options *options = fusion_options_new();
    for (size_t at = 0; at < 2 && names[at] != NULL; at++) {
        char *path = join(folder("FUSION_BUNDLES"), names[at]);
        CHECK(fusion_options_add(options, "source", path, NULL) == FUSION_STATUS_OK);
        free(path);
    }
    return options;
}

static fusion_report *synced(const char *config, const fusion_options *options)
{
    fusion_report *report = NULL;
    fusion_error *error = NULL;
    CHECK_STATUS(fusion_sync(config, options, &report, &error), FUSION_STATUS_OK, error);
    tells(report, "/command", "sync");
    tells(report, "/charts/0/name", "web");
    CHECK(fusion_report_get(report, "/charts/0/error") == NULL);
    return report;
}

static const char amd64[] = "web_1.5.0_amd64.bundle.tar", arm64[] = "web_1.5.0_arm64.bundle.tar";

/* One architecture, then the other, then nothing is left to do. */
static void one_after_the_other(const char *config)
{
    char location[LENGTH];
    snprintf(location, sizeof location, "%s/charts/web-1.5.0.tgz", folder("FUSION_SCRATCH"));
    fusion_options *options = of_bundles(amd64, NULL);
    CHECK(fusion_options_set(options, "dry-run", "true", NULL) == FUSION_STATUS_OK);
    fusion_report *report = synced(config, options);
    tells(report, "/charts/0/action", "created");
    CHECK(access(location, F_OK) != 0);
    fusion_report_free(report);

    CHECK(fusion_options_set(options, "dry-run", "false", NULL) == FUSION_STATUS_OK);
    report = synced(config, options);
    tells(report, "/charts/0/action", "created");
    tells(report, "/charts/0/location", location);
    tells(report, "/images/0/action", "created");
    CHECK(access(location, F_OK) == 0);
    fusion_report_free(report);
    fusion_options_free(options);

    options = of_bundles(arm64, NULL);
    report = synced(config, options);
    tells(report, "/charts/0/action", "unchanged");
    tells(report, "/images/0/action", "merged");
    fusion_report_free(report);
    fusion_options_free(options);

    options = of_bundles(amd64, arm64);
    report = synced(config, options);
    tells(report, "/charts/0/platforms/1", "linux/arm64");
    tells(report, "/images/0/action", "unchanged");
    tells(report, "/bytes/uploaded", "0");
    CHECK(fusion_report_get(report, "/values") == NULL);
    fusion_report_free(report);
    fusion_options_free(options);
}

/* Saved values name the images where they are now. */
static void saved_values(const char *config)
{
    char *path = write_file("bak.yaml", "images: {web: {registry: harbor.before}}\n");
    char line[LENGTH] = "", expected[LENGTH];
    fusion_options *options = of_bundles(amd64, arm64);
    CHECK(fusion_options_add(options, "values", path, NULL) == FUSION_STATUS_OK);
    fusion_report *report = synced(config, options);
    tells(report, "/values/0/path", path);
    tells(report, "/values/0/changes/0/key", "images.web.registry");
    tells(report, "/values/0/changes/0/new", folder("FUSION_REGISTRY"));
    fusion_report_free(report);
    fusion_options_free(options);
    FILE *file = fopen(path, "r");
    CHECK(file != NULL && fgets(line, sizeof line, file) != NULL && fclose(file) == 0);
    snprintf(expected, sizeof expected, "images: {web: {registry: %s}}\n",
             folder("FUSION_REGISTRY"));
    /* With the colon of a port in it, the address may have to be quoted. */
    if (strchr(line, '"') == NULL)
        CHECK_TEXT(line, expected);
    CHECK(strstr(line, folder("FUSION_REGISTRY")) != NULL);
    free(path);
}

/* What stands in the way: another chart of that version, a setting that is none. */
static void refused(const char *config)
{
    fusion_error *error = NULL;
    fusion_options *options = of_bundles("web_1.5.0_changed.bundle.tar", NULL);
    fusion_report *report = synced(config, options);
    tells(report, "/charts/0/action", "skipped");
    fusion_report_free(report);
    CHECK(fusion_options_set(options, "on-existing-chart", "error", NULL) == FUSION_STATUS_OK);
    CHECK_STATUS(fusion_sync(config, options, NULL, &error), FUSION_STATUS_DESTINATION_EXISTS,
                 error);
    CHECK(fusion_options_set(options, "on-existing-chart", "no", NULL) == FUSION_STATUS_USAGE);
    CHECK(fusion_options_set(options, "keep-going", "true", NULL) == FUSION_STATUS_OK);
    report = synced(config, options);
    fusion_report_free(report);
    fusion_options_free(options);

    char *wrong = write_file("wrong.yaml", "source: {intermediateBundlePath: x}\ntarget: {}\n");
    CHECK(fusion_sync(wrong, NULL, NULL, &error) == FUSION_STATUS_USAGE);
    CHECK(strstr(fusion_error_message(error), "line 1") != NULL);
    CHECK_TEXT(fusion_error_path(error), wrong);
    CHECK(strstr(fusion_error_report_json(error), "\"command\": \"sync\"") != NULL);
    fusion_error_free(error);
    free(wrong);
}

/* Packages, to where the installer's configuration says. */
static void imported(void)
{
    char text[LENGTH];
    int length = snprintf(text, sizeof text,
                          "kind: ClusterConfig\n"
                          "spec:\n"
                          "  imagesAndCharts:\n"
                          "    type: external\n"
                          "    externalImageRepo: http://%s/%s\n"
                          "    externalChartRepoType: oci\n"
                          "    externalChartRepo: http://%s/%s/charts\n",
                          folder("FUSION_REGISTRY"), project, folder("FUSION_REGISTRY"), project);
    CHECK(length > 0 && length < LENGTH);
    char *config = write_file("clusterConfig.yaml", text);
    char *paths[] = {join(folder("FUSION_BUNDLES"), "offline-v1-amd64.tar.gz"),
                     join(folder("FUSION_BUNDLES"), "offline-v1-arm64.tar.gz")};
    fusion_report *report = NULL;
    fusion_error *error = NULL;
    fusion_options *options = fusion_options_new();
    CHECK(fusion_options_set(options, "names", "path", NULL) == FUSION_STATUS_OK);
    CHECK_STATUS(fusion_import_addon(config, (const char *const *)paths, 2, options, &report,
                                     &error),
                 FUSION_STATUS_OK, error);
    tells(report, "/command", "import-addon");
    tells(report, "/charts/0/name", "backup");
    tells(report, "/charts/0/action", "created");
    tells(report, "/charts/1/platforms/1", "linux/arm64");
    CHECK(strncmp(fusion_report_get(report, "/charts/1/location"), "oci://", 6) == 0);
    fusion_report_free(report);

    /* No package is named at all. */
    CHECK_STATUS(fusion_import_addon(config, NULL, 0, options, NULL, &error), FUSION_STATUS_USAGE,
                 error);
    fusion_options_free(options);
    free(paths[0]);
    free(paths[1]);
    free(config);
}

int main(void)
{
    snprintf(project, sizeof project, "charts-%ld", (long)getpid());
    char *config = load_image();
    one_after_the_other(config);
    saved_values(config);
    refused(config);
    imported();
    free(config);
    return 0;
}
