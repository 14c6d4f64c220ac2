/*
 * install-images - the step of an installer that makes one multi-architecture archive out of the
 * archives that came for each architecture.
 *
 *     install-images OUTPUT ARCHIVE...
 *
 * Ctrl-C stops it; OUTPUT is then as it was before. Ends with 0 if OUTPUT is there, 1 if not,
 * 2 if it was called wrongly, 130 if it was stopped.
 */
#include <fusion.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static fusion_stop *stop;

static void on_interrupt(int number)
{
    (void)number;
    fusion_stop_request(stop);
}

/* Shows a bar on standard error. Called by fusion_fuse, at most ten times a second. */
static int32_t show(const fusion_progress *progress, void *user_data)
{
    enum { WIDTH = 40 };
    int *shown = user_data;
    char bar[WIDTH + 1];
    double done = 0;
    if (progress->total_bytes > 0)
        done = (double)progress->bytes / (double)progress->total_bytes;
    int filled = (int)(done * WIDTH);
    memset(bar, '.', WIDTH);
    memset(bar, '#', (size_t)(filled < WIDTH ? filled : WIDTH));
    bar[WIDTH] = '\0';
    fprintf(stderr, "\r%-7s [%s] %3d%% %8" PRIu64 " KiB", progress->phase, bar, (int)(done * 100),
            progress->bytes / 1024);
    *shown = 1;
    return 0; /* go on */
}

/* Names in messages come from archives: nothing in them may drive the terminal. */
static void print_clean(FILE *out, const char *text)
{
    for (; *text != '\0'; text++)
        putc((unsigned char)*text < ' ' || *text == 127 ? '?' : *text, out);
}

/* Why it failed, and what to do about it. */
static int explain(fusion_status status, fusion_error *error)
{
    fputs("error: ", stderr);
    print_clean(stderr, fusion_error_message(error));
    if (fusion_error_hint(error) != NULL) {
        fputs("\nhint: ", stderr);
        print_clean(stderr, fusion_error_hint(error));
    }
    fprintf(stderr, "\n(%s)\n", fusion_status_name(status));
    fusion_error_free(error);
    return status == FUSION_STATUS_CANCELLED ? 130 : 1;
}

/* A value of the report; "?" where there is none. */
static const char *value(fusion_report *report, const char *format, size_t one, size_t two)
{
    char pointer[64];
    snprintf(pointer, sizeof pointer, format, one, two);
    const char *found = fusion_report_get(report, pointer);
    return found != NULL ? found : "?";
}

/* What was done: each image, with its platforms, and what to look at. */
static void tell(fusion_report *report)
{
    char pointer[64];
    for (size_t image = 0; image < fusion_report_image_count(report); image++) {
        print_clean(stdout, fusion_report_image_reference(report, image));
        printf("\n  %s %s\n ", value(report, "/images/%zu/action", image, 0),
               fusion_report_image_digest(report, image));
        for (size_t platform = 0;; platform++) {
            snprintf(pointer, sizeof pointer, "/images/%zu/platforms/%zu/platform", image,
                     platform);
            const char *name = fusion_report_get(report, pointer);
            if (name == NULL)
                break;
            putchar(' ');
            print_clean(stdout, name);
        }
        putchar('\n');
    }
    for (size_t warning = 0;; warning++) {
        snprintf(pointer, sizeof pointer, "/warnings/%zu/message", warning);
        const char *message = fusion_report_get(report, pointer);
        if (message == NULL)
            break;
        printf("warning[%s]: ", value(report, "/warnings/%zu/code", warning, 0));
        print_clean(stdout, message);
        putchar('\n');
    }
    printf("%s bytes written, %s saved by keeping each blob once\n",
           value(report, "/bytes/written", 0, 0), value(report, "/bytes/deduplicated", 0, 0));
}

int main(int count, char **arguments)
{
    if (count < 3) {
        fprintf(stderr, "usage: %s OUTPUT ARCHIVE...\n", arguments[0]);
        return 2;
    }
    if (fusion_version_number() < FUSION_VERSION_NUMBER) {
        fprintf(stderr, "error: libfusion %s is older than what this was built with, %s\n",
                fusion_version_string(), FUSION_VERSION_STRING);
        return 1;
    }

    stop = fusion_stop_new();
    signal(SIGINT, on_interrupt);

    fusion_options *options = fusion_options_new();
    fusion_report *report = NULL;
    fusion_error *error = NULL;
    int shown = 0;
    fusion_options_set_stop(options, stop);
    if (isatty(STDERR_FILENO))
        fusion_options_set_progress(options, show, &shown);

    /* An installer may run again: what an earlier run wrote is replaced, in one step. Where every
     * image has to have both architectures, set "require-platform" to "linux/amd64,linux/arm64"
     * too; as it is, an image that lacks one is a warning. */
    fusion_status status = fusion_options_set(options, "on-existing", "replace", &error);
    if (status == FUSION_STATUS_OK)
        status = fusion_fuse((const char *const *)arguments + 2, (size_t)count - 2, arguments[1],
                             options, &report, &error);
    if (shown)
        fputc('\n', stderr);

    int result = 0;
    if (status == FUSION_STATUS_OK)
        tell(report);
    else
        result = explain(status, error);

    fusion_report_free(report);
    fusion_options_free(options);
    fusion_stop_free(stop);
    return result;
}
