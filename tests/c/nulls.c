/* Every function, with NULL in every argument. scripts/test-c.sh checks that none is missing. */
#include "check.h"

#define NULL_ARGUMENT(call) CHECK((call) == FUSION_STATUS_NULL_ARGUMENT)

static int32_t never(const fusion_progress *progress, void *user_data)
{
    (void)progress;
    (void)user_data;
    return 1;
}

int main(void)
{
    pair sources = real_pair();
    const char *holes[2] = {sources.paths[0], NULL};
    fusion_options *options = fusion_options_new();
    fusion_stop *stop = fusion_stop_new();
    fusion_error *error = NULL;
    fusion_report *report = NULL;
    CHECK(options != NULL && stop != NULL);

    /* Freeing nothing. */
    fusion_options_free(NULL);
    fusion_stop_free(NULL);
    fusion_report_free(NULL);
    fusion_error_free(NULL);

    /* An error that is none. */
    CHECK(fusion_error_status(NULL) == FUSION_STATUS_OK);
    CHECK_TEXT(fusion_error_message(NULL), "");
    CHECK(fusion_error_kind(NULL) == NULL);
    CHECK(fusion_error_path(NULL) == NULL);
    CHECK(fusion_error_member(NULL) == NULL);
    CHECK(fusion_error_digest(NULL) == NULL);
    CHECK(fusion_error_hint(NULL) == NULL);
    CHECK(fusion_error_report_json(NULL) == NULL);
    CHECK(fusion_error_offset(NULL) == -1);
    CHECK(fusion_error_errno(NULL) == 0);

    /* A report that is none. */
    CHECK(fusion_report_json(NULL) == NULL);
    CHECK(fusion_report_get(NULL, NULL) == NULL);
    CHECK(fusion_report_get(NULL, "/status") == NULL);
    CHECK(fusion_report_image_count(NULL) == 0);
    CHECK(fusion_report_image_reference(NULL, 0) == NULL);
    CHECK(fusion_report_image_digest(NULL, 0) == NULL);

    /* Options. */
    NULL_ARGUMENT(fusion_options_set(NULL, NULL, NULL, NULL));
    NULL_ARGUMENT(fusion_options_set(NULL, "jobs", "1", &error));
    CHECK_TEXT(fusion_error_message(error), "`options` is NULL");
    CHECK_TEXT(fusion_error_kind(error), "usage");
    CHECK(fusion_error_status(error) == FUSION_STATUS_NULL_ARGUMENT);
    CHECK(fusion_error_report_json(error) == NULL);
    fusion_error_free(error);
    error = NULL;
    NULL_ARGUMENT(fusion_options_set(options, NULL, "1", NULL));
    NULL_ARGUMENT(fusion_options_set(options, "jobs", NULL, NULL));
    NULL_ARGUMENT(fusion_options_add(NULL, NULL, NULL, NULL));
    NULL_ARGUMENT(fusion_options_add(NULL, "image", "a", NULL));
    NULL_ARGUMENT(fusion_options_add(options, NULL, "a", NULL));
    NULL_ARGUMENT(fusion_options_add(options, "image", NULL, NULL));
    fusion_options_set_progress(NULL, NULL, NULL);
    fusion_options_set_progress(NULL, never, NULL);
    fusion_options_set_progress(options, never, NULL);
    fusion_options_set_progress(options, NULL, NULL);
    fusion_options_set_log(NULL, NULL, NULL, FUSION_LOG_TRACE);
    fusion_options_set_log(options, NULL, NULL, FUSION_LOG_TRACE);
    fusion_options_set_stop(NULL, NULL);
    fusion_options_set_stop(NULL, stop);
    fusion_options_set_stop(options, stop);
    fusion_options_set_stop(options, NULL);
    fusion_stop_request(NULL);
    fusion_stop_request(stop); /* nobody has it any more */

    /* Verbs. */
    NULL_ARGUMENT(fusion_fuse(NULL, 1, NULL, NULL, NULL, NULL));
    NULL_ARGUMENT(fusion_fuse(NULL, 2, "x.tar", options, &report, &error));
    CHECK_TEXT(fusion_error_message(error), "`sources` is NULL");
    CHECK(strstr(fusion_error_report_json(error), "\"failed\"") != NULL);
    fusion_error_free(error);
    error = NULL;
    NULL_ARGUMENT(fusion_fuse(holes, 2, "x.tar", options, &report, &error));
    CHECK_TEXT(fusion_error_message(error), "`sources[1]` is NULL");
    fusion_error_free(error);
    error = NULL;
    NULL_ARGUMENT(fusion_fuse(SOURCES(sources), NULL, options, &report, &error));
    CHECK_TEXT(fusion_error_message(error), "`output` is NULL");
    fusion_error_free(error);
    error = NULL;
    CHECK(fusion_fuse(NULL, 0, "x.tar", NULL, NULL, NULL) == FUSION_STATUS_USAGE);
    NULL_ARGUMENT(fusion_plan(NULL, 1, NULL, NULL, NULL, NULL));
    NULL_ARGUMENT(fusion_plan(holes, 2, NULL, NULL, NULL, NULL));
    CHECK(fusion_plan(NULL, 0, NULL, NULL, NULL, NULL) == FUSION_STATUS_USAGE);
    CHECK(fusion_plan(SOURCES(sources), NULL, NULL, NULL, NULL) == FUSION_STATUS_OK);
    NULL_ARGUMENT(fusion_push(NULL, 1, NULL, NULL, NULL, NULL));
    NULL_ARGUMENT(fusion_push(holes, 2, "registry.invalid", options, &report, &error));
    CHECK_TEXT(fusion_error_message(error), "`sources[1]` is NULL");
    CHECK(strstr(fusion_error_report_json(error), "\"command\": \"push\"") != NULL);
    fusion_error_free(error);
    error = NULL;
    NULL_ARGUMENT(fusion_push(SOURCES(sources), NULL, options, &report, &error));
    CHECK_TEXT(fusion_error_message(error), "`to` is NULL");
    fusion_error_free(error);
    error = NULL;
    CHECK(fusion_push(NULL, 0, "registry.invalid", NULL, NULL, NULL) == FUSION_STATUS_USAGE);
    NULL_ARGUMENT(fusion_sync(NULL, NULL, NULL, NULL));
    NULL_ARGUMENT(fusion_sync(NULL, options, &report, &error));
    CHECK_TEXT(fusion_error_message(error), "`config` is NULL");
    CHECK(strstr(fusion_error_report_json(error), "\"command\": \"sync\"") != NULL);
    fusion_error_free(error);
    error = NULL;
    CHECK(fusion_sync("missing.yaml", NULL, NULL, NULL) == FUSION_STATUS_NOT_FOUND);
    NULL_ARGUMENT(fusion_import_addon(NULL, NULL, 0, NULL, NULL, NULL));
    NULL_ARGUMENT(fusion_import_addon("missing.yaml", NULL, 1, options, &report, &error));
    CHECK_TEXT(fusion_error_message(error), "`sources` is NULL");
    CHECK(strstr(fusion_error_report_json(error), "\"command\": \"import-addon\"") != NULL);
    fusion_error_free(error);
    error = NULL;
    NULL_ARGUMENT(fusion_import_addon("missing.yaml", holes, 2, NULL, NULL, NULL));
    CHECK(fusion_import_addon("missing.yaml", NULL, 0, NULL, NULL, NULL) == FUSION_STATUS_NOT_FOUND);
    NULL_ARGUMENT(fusion_index_create(NULL, NULL, 0, NULL, NULL, NULL));
    NULL_ARGUMENT(fusion_index_create("registry.invalid/a:1", NULL, 1, options, &report, &error));
    CHECK_TEXT(fusion_error_message(error), "`sources` is NULL");
    CHECK(strstr(fusion_error_report_json(error), "\"command\": \"index create\"") != NULL);
    fusion_error_free(error);
    error = NULL;
    NULL_ARGUMENT(fusion_index_create("registry.invalid/a:1", holes, 2, NULL, NULL, NULL));
    CHECK(fusion_index_create("registry.invalid/a:1", NULL, 0, NULL, NULL, NULL) ==
          FUSION_STATUS_USAGE);
    NULL_ARGUMENT(fusion_inspect(NULL, NULL, NULL, NULL));
    NULL_ARGUMENT(fusion_inspect(NULL, options, &report, &error));
    CHECK_TEXT(fusion_error_message(error), "`source` is NULL");
    fusion_error_free(error);
    error = NULL;
    CHECK(fusion_inspect(sources.paths[0], NULL, NULL, NULL) == FUSION_STATUS_OK);
    NULL_ARGUMENT(fusion_verify(NULL, 1, NULL, NULL, NULL));
    NULL_ARGUMENT(fusion_verify(holes, 2, NULL, NULL, NULL));
    CHECK(fusion_verify(NULL, 0, NULL, NULL, NULL) == FUSION_STATUS_USAGE);
    CHECK(fusion_verify(SOURCES(sources), NULL, NULL, NULL) == FUSION_STATUS_OK);

    /* None of the failures wrote an output. */
    CHECK(report == NULL && error == NULL);

    /* A NULL pointer into a report that is there. */
    CHECK(fusion_inspect(sources.paths[0], options, &report, &error) == FUSION_STATUS_OK);
    CHECK(fusion_report_get(report, NULL) == NULL);
    fusion_report_free(report);

    CHECK_TEXT(fusion_status_name(0), "FUSION_STATUS_OK");
    CHECK_TEXT(fusion_status_name(12345), "FUSION_STATUS_UNKNOWN");
    CHECK(fusion_version_number() != 0 && fusion_version_string() != NULL);

    fusion_options_free(options);
    fusion_stop_free(stop);
    pair_free(sources);
    return 0;
}
