/*
 * sync-charts - the step of an installer that takes chart bundles, of as many architectures as there
 * are: images into a registry, each as one multi-architecture tag, then charts that name them there
 * into a chart repository.
 *
 *     sync-charts CONFIG BUNDLE...
 *
 * CONFIG is charts-syncer's, as load-image.yaml; the bundles and packages go in the place of those
 * that it names. REGISTRY_CA is a file of certificate authorities. One chart that fails does not keep
 * the others back. Ctrl-C stops it; running it again does what is missing. Ends with 0 if all is
 * there, 1 if nothing could be done, 2 if it was called wrongly, 7 if something failed on the way,
 * 130 if it was stopped.
 */
#include <fusion.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static fusion_stop *stop;

static void on_interrupt(int number)
{
    (void)number;
    fusion_stop_request(stop);
}

/* Names come from archives and registries: nothing in them may drive the terminal. */
static void print_clean(FILE *out, const char *text)
{
    for (; *text != '\0'; text++)
        putc((unsigned char)*text < ' ' || *text == 127 ? '?' : *text, out);
}

static fusion_status choose(fusion_options *options, char **bundles, int count,
                            fusion_error **error)
{
    const char *ca = getenv("REGISTRY_CA");
    fusion_status status = fusion_options_set(options, "keep-going", "true", error);
    for (int at = 0; at < count && status == FUSION_STATUS_OK; at++)
        status = fusion_options_add(options, "source", bundles[at], error);
    if (ca != NULL && status == FUSION_STATUS_OK)
        status = fusion_options_set(options, "tls-ca", ca, error);
    return status;
}

/* A value of the report, such as "/charts/0/name" for "charts", 0 and "name"; NULL if there is none. */
static const char *value(fusion_report *report, const char *list, size_t at, const char *field)
{
    char pointer[96];
    snprintf(pointer, sizeof pointer, "/%s/%zu/%s", list, at, field);
    return fusion_report_get(report, pointer);
}

/* The platforms that all images of a chart have. */
static void print_platforms(fusion_report *report, size_t chart)
{
    char field[32];
    for (size_t platform = 0;; platform++) {
        snprintf(field, sizeof field, "platforms/%zu", platform);
        const char *name = value(report, "charts", chart, field);
        if (name == NULL)
            break;
        putchar(' ');
        print_clean(stdout, name);
    }
}

/* What became of each chart, what failed, and what to look at. */
static void tell(fusion_report *report)
{
    const char *text;
    for (size_t warning = 0; (text = value(report, "warnings", warning, "message")); warning++) {
        fputs("warning: ", stderr);
        print_clean(stderr, text);
        putc('\n', stderr);
    }
    for (size_t image = 0; image < fusion_report_image_count(report); image++) {
        if ((text = value(report, "images", image, "error/message")) == NULL)
            continue;
        print_clean(stderr, fusion_report_image_reference(report, image));
        fputs(": ", stderr);
        print_clean(stderr, text);
        putc('\n', stderr);
    }
    for (size_t chart = 0; (text = value(report, "charts", chart, "name")); chart++) {
        print_clean(stdout, text);
        putchar(' ');
        print_clean(stdout, value(report, "charts", chart, "version"));
        printf("  %s ", value(report, "charts", chart, "action"));
        print_platforms(report, chart);
        text = value(report, "charts", chart, "error/message");
        fputs("\n  ", stdout);
        print_clean(stdout, text != NULL ? text : value(report, "charts", chart, "location"));
        putchar('\n');
    }
}

/* Why nothing was done, and what to do about it. */
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

int main(int count, char **arguments)
{
    if (count < 3) {
        fprintf(stderr, "usage: %s CONFIG BUNDLE...\n", arguments[0]);
        return 2;
    }
    stop = fusion_stop_new();
    signal(SIGINT, on_interrupt);

    fusion_options *options = fusion_options_new();
    fusion_report *report = NULL;
    fusion_error *error = NULL;
    fusion_options_set_stop(options, stop);
    fusion_status status = choose(options, arguments + 2, count - 2, &error);
    if (status == FUSION_STATUS_OK)
        status = fusion_sync(arguments[1], options, &report, &error);

    int result = 0;
    if (status == FUSION_STATUS_OK) {
        tell(report);
        /* With "keep-going" the report says whether all of it went well. */
        result = strcmp(fusion_report_get(report, "/status"), "ok") == 0 ? 0 : 7;
    } else {
        result = explain(status, error);
    }

    fusion_report_free(report);
    fusion_options_free(options);
    fusion_stop_free(stop);
    return result;
}
