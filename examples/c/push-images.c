/*
 * push-images - the step of an installer that pushes the archives that came for each architecture
 * as multi-architecture images.
 *
 *     push-images HOST/PREFIX ARCHIVE...
 *
 * The user is REGISTRY_USER with REGISTRY_PASSWORD; without them, whoever `docker login` or `podman
 * login` stored. REGISTRY_CA is a file of certificate authorities. Ctrl-C stops it; running it again
 * sends only what is missing. Ends with 0 if all is there, 1 if not, 2 if it was called wrongly, 130
 * if it was stopped.
 */
#include <fusion.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

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

/* Sets an option to what the environment says, if it says anything. */
static fusion_status from_environment(fusion_options *options, const char *name,
                                      const char *variable, fusion_error **error)
{
    const char *value = getenv(variable);
    if (value == NULL)
        return FUSION_STATUS_OK;
    return fusion_options_set(options, name, value, error);
}

static fusion_status choose(fusion_options *options, fusion_error **error)
{
    fusion_status status = from_environment(options, "username", "REGISTRY_USER", error);
    if (status == FUSION_STATUS_OK)
        status = from_environment(options, "password", "REGISTRY_PASSWORD", error);
    if (status == FUSION_STATUS_OK)
        status = from_environment(options, "tls-ca", "REGISTRY_CA", error);
    return status;
}

/* A value of an image in the report; `otherwise` where there is none. */
static const char *of_image(fusion_report *report, size_t image, const char *field,
                            const char *otherwise)
{
    char pointer[64];
    snprintf(pointer, sizeof pointer, "/images/%zu/%s", image, field);
    const char *found = fusion_report_get(report, pointer);
    return found != NULL ? found : otherwise;
}

/* Each tag, what became of it, and what it led to before: a way back. */
static void tell(fusion_report *report)
{
    for (size_t image = 0; image < fusion_report_image_count(report); image++) {
        print_clean(stdout, of_image(report, image, "target", "?"));
        printf("\n  %s %s\n  before: %s\n", of_image(report, image, "action", "?"),
               fusion_report_image_digest(report, image),
               of_image(report, image, "previous_digest", "nothing"));
    }
    printf("%s bytes sent, %s blobs were there\n", fusion_report_get(report, "/bytes/uploaded"),
           fusion_report_get(report, "/blobs/reused"));
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

int main(int count, char **arguments)
{
    if (count < 3) {
        fprintf(stderr, "usage: %s HOST/PREFIX ARCHIVE...\n", arguments[0]);
        return 2;
    }
    stop = fusion_stop_new();
    signal(SIGINT, on_interrupt);

    fusion_options *options = fusion_options_new();
    fusion_report *report = NULL;
    fusion_error *error = NULL;
    fusion_options_set_stop(options, stop);
    fusion_status status = choose(options, &error);
    if (status == FUSION_STATUS_OK)
        status = fusion_push((const char *const *)arguments + 2, (size_t)count - 2, arguments[1],
                             options, &report, &error);

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
