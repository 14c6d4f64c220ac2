/* Arguments that make no sense, and places that are not there: the right status, and never the end
 * of the process. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Ends the program unless `call` was refused with `expected`, said something and gave no report. */
#define REFUSED(call, expected)                                               \
    do {                                                                      \
        fusion_report *report = NULL;                                         \
        fusion_error *error = NULL;                                           \
        fusion_status got_ = (call);                                          \
        if (got_ != (expected)) {                                             \
            fprintf(stderr, "%s:%d: %s\n  gave %s, not %s: %s\n", __FILE__,   \
                    __LINE__, #call, fusion_status_name(got_),                \
                    fusion_status_name(expected), fusion_error_message(error)); \
            exit(1);                                                          \
        }                                                                     \
        CHECK(report == NULL && fusion_error_status(error) == got_);          \
        CHECK(fusion_error_message(error)[0] != '\0');                        \
        fusion_error_free(error);                                             \
    } while (0)

static char *at(const char *name)
{
    return join(folder("FUSION_SCRATCH"), name);
}

/* Every option that there is, with values that it does not take; and what is no option. */
static void values(fusion_options *options)
{
    static const char *const jobs[] = {"", "0", "-1", "+", "1.5", "two", " 1", "0x10",
                                       "99999999999999999999999999"};
    static const char *const names[] = {
        "annotation", "append", "claim-tags", "clean", "clean-claims", "compression",
        "docker-platform", "dry-run", "durability", "format", "insecure", "jobs", "keep-going",
        "media-types", "name", "names", "on-conflict", "on-existing", "plain-http", "platform",
        "remove", "rename", "require-platform", "retries", "source-platform", "strip-arch-suffix",
        "tls-ca", "verify", "work-dir"};
    static const char *const globs[] = {"image", "exclude"};
    static const char *const unknown[] = {"", "-", "--jobs", "jobs=1", "Jobs", "json", "output",
                                          "tls-verify", "\xff", "jobs\n"};
    for (size_t one = 0; one < sizeof jobs / sizeof *jobs; one++)
        REFUSED(((void)report, fusion_options_set(options, "jobs", jobs[one], &error)),
                FUSION_STATUS_USAGE);
    for (size_t one = 0; one < sizeof names / sizeof *names; one++) {
        REFUSED(((void)report, fusion_options_set(options, names[one], "", &error)),
                FUSION_STATUS_USAGE);
        REFUSED(((void)report, fusion_options_set(options, names[one], "\xff\xfe", &error)),
                FUSION_STATUS_USAGE);
    }
    for (size_t one = 0; one < sizeof globs / sizeof *globs; one++) {
        REFUSED(((void)report, fusion_options_add(options, globs[one], "[", &error)),
                FUSION_STATUS_USAGE);
        REFUSED(((void)report, fusion_options_add(options, globs[one], "\xff", &error)),
                FUSION_STATUS_USAGE);
    }
    for (size_t one = 0; one < sizeof unknown / sizeof *unknown; one++) {
        REFUSED(((void)report, fusion_options_set(options, unknown[one], "1", &error)),
                FUSION_STATUS_USAGE);
        REFUSED(((void)report, fusion_options_add(options, unknown[one], "1", &error)),
                FUSION_STATUS_USAGE);
    }
    REFUSED(((void)report, fusion_options_add(options, "jobs", "1", &error)), FUSION_STATUS_USAGE);
    REFUSED(((void)report, fusion_options_add(options, "names", "last", &error)),
            FUSION_STATUS_USAGE);
    REFUSED(((void)report, fusion_options_set(options, "create-projects", "maybe", &error)),
            FUSION_STATUS_USAGE);
    REFUSED(((void)report, fusion_options_set(options, "password", "\xff", &error)),
            FUSION_STATUS_USAGE);

    /* A megabyte of nonsense. */
    size_t length = 1 << 20;
    char *long_one = malloc(length + 1);
    CHECK(long_one != NULL);
    memset(long_one, 'x', length);
    long_one[length] = '\0';
    REFUSED(((void)report, fusion_options_set(options, "platform", long_one, &error)),
            FUSION_STATUS_USAGE);
    REFUSED(((void)report, fusion_options_set(options, long_one, "1", &error)),
            FUSION_STATUS_USAGE);
    free(long_one);
}

/* None of that changed anything: the options are those of somebody who chose nothing. */
static void unchanged(pair sources, const fusion_options *options)
{
    fusion_report *plain = NULL, *report = NULL;
    fusion_error *error = NULL;
    CHECK_STATUS(fusion_plan(SOURCES(sources), NULL, NULL, &plain, &error), FUSION_STATUS_OK, error);
    CHECK_STATUS(fusion_plan(SOURCES(sources), NULL, options, &report, &error), FUSION_STATUS_OK,
                 error);
    CHECK_TEXT(fusion_report_get(report, "/images"), fusion_report_get(plain, "/images"));
    CHECK(fusion_report_get(report, "/images/\xff") == NULL);
    CHECK(fusion_report_get(report, "images") == NULL);
    fusion_report_free(plain);
    fusion_report_free(report);
}

/* More threads than any machine has are as many as make sense. */
static void many_jobs(pair sources, fusion_options *options)
{
    static const char *const jobs[] = {"100000", "18446744073709551615"};
    for (size_t one = 0; one < sizeof jobs / sizeof *jobs; one++) {
        fusion_error *error = NULL;
        CHECK_STATUS(fusion_options_set(options, "jobs", jobs[one], &error), FUSION_STATUS_OK,
                     error);
        CHECK_STATUS(fusion_verify(SOURCES(sources), options, NULL, &error), FUSION_STATUS_OK,
                     error);
    }
    CHECK(fusion_options_set(options, "jobs", "2", NULL) == FUSION_STATUS_OK);
}

static void sources_and_outputs(pair sources, fusion_options *options)
{
    const char *const *both = (const char *const *)sources.paths;
    const char *const nothing[] = {"", ""};
    const char *const twice[] = {"-", "-"};
    char *out = at("refuse.tar"), *nowhere = at("no-such-folder/refuse.tar"), *file = at("file");
    char *inside = at("file/refuse.tar");
    FILE *made = fopen(file, "wb");
    CHECK(made != NULL && fclose(made) == 0);

    REFUSED(fusion_fuse(both, 0, out, options, &report, &error), FUSION_STATUS_USAGE);
    REFUSED(fusion_plan(both, 0, out, options, &report, &error), FUSION_STATUS_USAGE);
    REFUSED(fusion_verify(both, 0, options, &report, &error), FUSION_STATUS_USAGE);
    REFUSED(fusion_fuse(nothing, 2, out, options, &report, &error), FUSION_STATUS_USAGE);
    REFUSED(fusion_plan(nothing, 1, NULL, options, &report, &error), FUSION_STATUS_USAGE);
    REFUSED(fusion_verify(nothing, 1, options, &report, &error), FUSION_STATUS_USAGE);
    REFUSED(fusion_inspect("", options, &report, &error), FUSION_STATUS_USAGE);
    REFUSED(fusion_inspect("oci:", options, &report, &error), FUSION_STATUS_USAGE);
    REFUSED(fusion_fuse(twice, 2, out, options, &report, &error), FUSION_STATUS_USAGE);
    REFUSED(fusion_fuse(both, 2, "", options, &report, &error), FUSION_STATUS_USAGE);
    REFUSED(fusion_fuse(both, 2, nowhere, options, &report, &error), FUSION_STATUS_NOT_FOUND);
    REFUSED(fusion_fuse(both, 2, inside, options, &report, &error), FUSION_STATUS_IO);
    REFUSED(fusion_fuse(both, 2, file, options, &report, &error),
            FUSION_STATUS_DESTINATION_EXISTS);
    REFUSED(fusion_fuse(both, 2, both[0], options, &report, &error),
            FUSION_STATUS_DESTINATION_EXISTS);
    REFUSED(fusion_inspect(file, options, &report, &error), FUSION_STATUS_INVALID_ARCHIVE);
    REFUSED(fusion_inspect(folder("FUSION_SCRATCH"), options, &report, &error),
            FUSION_STATUS_INVALID_ARCHIVE);
    CHECK(access(out, F_OK) != 0);
    free(out);
    free(nowhere);
    free(file);
    free(inside);
}

/* Places to push to, and indexes to make, that are none: said before anything is read. */
static void registries(pair sources, const fusion_options *options)
{
    static const char *const places[] = {"", "harbor", "http://harbor.local", "harbor.local/a:1",
                                         "harbor.local//a", "harbor.local/A", "\xff"};
    static const char *const targets[] = {"", "-", "\xff", "oci:folder",
                                          "docker-archive:a.tar:b:1", "harbor.local/A:1",
                                          "harbor.local/a@sha256:0"};
    const char *const *both = (const char *const *)sources.paths;
    const char *const image[] = {"harbor.local/t/app:1"}, *const bytes[] = {"\xff"};
    for (size_t one = 0; one < sizeof places / sizeof *places; one++)
        REFUSED(fusion_push(both, 2, places[one], options, &report, &error), FUSION_STATUS_USAGE);
    for (size_t one = 0; one < sizeof targets / sizeof *targets; one++)
        REFUSED(fusion_index_create(targets[one], image, 1, options, &report, &error),
                FUSION_STATUS_USAGE);
    REFUSED(fusion_index_create(image[0], bytes, 1, options, &report, &error),
            FUSION_STATUS_USAGE);
    REFUSED(fusion_index_create(image[0], image, 0, options, &report, &error),
            FUSION_STATUS_USAGE);
}

/* Names that are not UTF-8 are names like any other. */
static void any_bytes(pair sources, const fusion_options *options)
{
    char *source = at("\xfe-source.tar"), *output = at("\xff-out.tar");
    fusion_report *report = NULL;
    fusion_error *error = NULL;
    CHECK(symlink(sources.paths[0], source) == 0);
    const char *one = source;
    CHECK_STATUS(fusion_fuse(&one, 1, output, options, &report, &error), FUSION_STATUS_OK, error);
    CHECK(access(output, F_OK) == 0);
    CHECK(strstr(fusion_report_get(report, "/destination/location"), "\xef\xbf\xbd-out.tar") != NULL);
    fusion_report_free(report);
    REFUSED(fusion_fuse(&one, 1, output, options, &report, &error),
            FUSION_STATUS_DESTINATION_EXISTS);
    free(source);
    free(output);
}

/* The bytes of a file. */
static char *contents(const char *path, size_t *length)
{
    FILE *in = fopen(path, "rb");
    CHECK(in != NULL && fseek(in, 0, SEEK_END) == 0);
    *length = (size_t)ftell(in);
    char *bytes = malloc(*length);
    rewind(in);
    CHECK(bytes != NULL && fread(bytes, 1, *length, in) == *length && fclose(in) == 0);
    return bytes;
}

/* A program that closed standard output or input. The number goes to the next file that is opened,
 * which must not be taken for it. */
static void closed(const char *source, const fusion_options *options)
{
    fusion_error *error = NULL;
    const char *standard = "-";
    int in = dup(0), out = dup(1);
    CHECK(in >= 0 && out >= 0 && close(1) == 0);
    CHECK(fusion_fuse(&source, 1, "-", options, NULL, &error) == FUSION_STATUS_IO);
    CHECK(fusion_error_errno(error) == EBADF);
    fusion_error_free(error);
    CHECK(dup2(out, 1) == 1 && close(0) == 0);
    error = NULL;
    CHECK(fusion_plan(&standard, 1, NULL, options, NULL, &error) == FUSION_STATUS_IO);
    CHECK(fusion_error_errno(error) == EBADF);
    fusion_error_free(error);
    CHECK(dup2(in, 0) == 0 && close(in) == 0 && close(out) == 0);
}

/* What a run could not write is not the beginning of what the next one writes. */
static void after_a_failure(const char *source, const fusion_options *options)
{
    char *wanted = at("wanted.tar"), *got = at("got.tar");
    fusion_error *error = NULL;
    int ends[2], out = dup(1), file = open(got, O_WRONLY | O_CREAT | O_EXCL, 0600);
    CHECK(out >= 0 && file >= 0 && pipe(ends) == 0 && dup2(ends[1], 1) == 1);
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
    CHECK(fusion_fuse(&source, 1, "-", options, NULL, NULL) == FUSION_STATUS_IO);
    CHECK(dup2(file, 1) == 1 && close(file) == 0);
    fusion_status status = fusion_fuse(&source, 1, "-", options, NULL, &error);
    CHECK(dup2(out, 1) == 1 && close(out) == 0);
    CHECK_STATUS(status, FUSION_STATUS_OK, error);

    size_t wanted_length, got_length;
    CHECK(fusion_fuse(&source, 1, wanted, options, NULL, NULL) == FUSION_STATUS_OK);
    char *wanted_bytes = contents(wanted, &wanted_length);
    char *got_bytes = contents(got, &got_length);
    CHECK(wanted_length == got_length && memcmp(wanted_bytes, got_bytes, got_length) == 0);
    free(wanted_bytes);
    free(got_bytes);
    free(wanted);
    free(got);
}

int main(void)
{
    pair sources = real_pair();
    fusion_options *options = fusion_options_new();
    values(options);
    unchanged(sources, options);
    many_jobs(sources, options);
    sources_and_outputs(sources, options);
    registries(sources, options);
    any_bytes(sources, options);
    closed(sources.paths[0], options);
    after_a_failure(sources.paths[0], options);
    fusion_options_free(options);
    pair_free(sources);
    return 0;
}
