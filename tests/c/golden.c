/* Replays one case and prints its report; tests/engine/golden.rs runs it and compares:
 *
 *     golden VERB [NAME=VALUE]... -- [OUTPUT] SOURCE...
 *
 * VERB is fuse, plan, push, sync, import-addon, "index create", inspect or verify. OUTPUT is where it
 * goes, for all but inspect and verify, or the configuration that says so; "" is none. A repeatable option is added to, another is set. The
 * report goes to standard output, also that of a failure; then the name of the status to standard
 * error. Ends with 0 on success, 1 on failure, 2 if it was called wrongly.
 */
#include "check.h"

static int usage(const char *what)
{
    fprintf(stderr, "usage: golden VERB [NAME=VALUE]... -- [OUTPUT] SOURCE...: %s\n", what);
    return 2;
}

static int finish(fusion_status status, fusion_report *report, fusion_error *error)
{
    const char *json = status == FUSION_STATUS_OK ? fusion_report_json(report)
                                                  : fusion_error_report_json(error);
    if (json != NULL)
        fputs(json, stdout);
    if (status != FUSION_STATUS_OK)
        fprintf(stderr, "error: %s\n", fusion_error_message(error));
    fprintf(stderr, "%s\n", fusion_status_name(status));
    fusion_report_free(report);
    fusion_error_free(error);
    return status == FUSION_STATUS_OK ? 0 : 1;
}

int main(int count, char **arguments)
{
    fusion_options *options = fusion_options_new();
    fusion_report *report = NULL;
    fusion_error *error = NULL;
    int at = 2;
    for (; at < count && strcmp(arguments[at], "--") != 0; at++) {
        char *name = arguments[at], *value = strchr(name, '=');
        if (value == NULL)
            return usage(name);
        *value++ = '\0';
        fusion_status status = fusion_options_add(options, name, value, NULL);
        if (status != FUSION_STATUS_OK)
            status = fusion_options_set(options, name, value, &error);
        if (status != FUSION_STATUS_OK) {
            fusion_options_free(options);
            return finish(status, NULL, error);
        }
    }
    if (count < 2 || at++ >= count)
        return usage("no --");

    const char *verb = arguments[1], *output = NULL;
    int fuses = strcmp(verb, "fuse") == 0, plans = strcmp(verb, "plan") == 0;
    int pushes = strcmp(verb, "push") == 0, indexes = strcmp(verb, "index create") == 0;
    int syncs = strcmp(verb, "sync") == 0, imports = strcmp(verb, "import-addon") == 0;
    if (fuses || plans || pushes || indexes || syncs || imports) {
        if (at == count)
            return usage("no OUTPUT");
        output = *arguments[at] == '\0' ? NULL : arguments[at];
        at++;
    }
    const char *const *sources = (const char *const *)arguments + at;
    size_t number = (size_t)(count - at);

    fusion_status status;
    if (fuses)
        status = fusion_fuse(sources, number, output, options, &report, &error);
    else if (plans)
        status = fusion_plan(sources, number, output, options, &report, &error);
    else if (pushes)
        status = fusion_push(sources, number, output, options, &report, &error);
    else if (syncs && number == 0)
        status = fusion_sync(output, options, &report, &error);
    else if (imports)
        status = fusion_import_addon(output, sources, number, options, &report, &error);
    else if (indexes)
        status = fusion_index_create(output, sources, number, options, &report, &error);
    else if (strcmp(verb, "verify") == 0)
        status = fusion_verify(sources, number, options, &report, &error);
    else if (strcmp(verb, "inspect") == 0 && number == 1)
        status = fusion_inspect(*sources, options, &report, &error);
    else
        return usage(verb);
    fusion_options_free(options);
    return finish(status, report, error);
}
