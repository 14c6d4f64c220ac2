/* Progress on the calling thread, and stopping by what the callback returns. */
#include "check.h"

#include <pthread.h>
#include <unistd.h>

typedef struct watch {
    pthread_t caller;
    int calls;
    int stop_at; /* the call that says stop; 0 for none */
    int reads, writes, publishes;
} watch;

static int32_t told(const fusion_progress *progress, void *user_data)
{
    watch *seen = user_data;
    CHECK(pthread_equal(seen->caller, pthread_self()));
    CHECK(progress->size >= sizeof *progress);
    CHECK(progress->total_bytes == 0 || progress->bytes <= progress->total_bytes);
    seen->reads += strcmp(progress->phase, "read") == 0;
    seen->writes += strcmp(progress->phase, "write") == 0;
    seen->publishes += strcmp(progress->phase, "publish") == 0;
    seen->calls++;
    return seen->calls == seen->stop_at ? 7 : 0;
}

/* Changing, and freeing, options while a call runs with them. */
static int32_t free_options(const fusion_progress *progress, void *user_data)
{
    fusion_options **options = user_data;
    (void)progress;
    fusion_options_free(*options);
    *options = NULL;
    return 0;
}

int main(void)
{
    pair sources = real_pair();
    char *output = join(folder("FUSION_SCRATCH"), "progress.tar");
    fusion_options *options = fusion_options_new();
    fusion_report *report = NULL;
    fusion_error *error = NULL;
    watch seen = {.caller = pthread_self()};
    fusion_options_set_progress(options, told, &seen);

    /* Whenever the callback says stop, it is not called again, the run ends so, and nothing is
     * there. */
    for (int stop_at = 1; stop_at <= 2; stop_at++) {
        seen = (watch){.caller = pthread_self(), .stop_at = stop_at};
        CHECK(fusion_fuse(SOURCES(sources), output, options, &report, &error)
              == FUSION_STATUS_CANCELLED);
        CHECK(seen.calls == stop_at);
        CHECK_TEXT(fusion_error_kind(error), "cancelled");
        CHECK(strstr(fusion_error_report_json(error), "\"cancelled\"") != NULL);
        CHECK(report == NULL && access(output, F_OK) != 0);
        fusion_error_free(error);
        error = NULL;
    }

    /* Having stopped one run does not stop the next with the same options. */
    seen = (watch){.caller = pthread_self()};
    CHECK_STATUS(fusion_fuse(SOURCES(sources), output, options, &report, &error),
                 FUSION_STATUS_OK, error);
    CHECK(seen.writes > 0 && seen.publishes > 0);
    CHECK(access(output, F_OK) == 0);
    fusion_report_free(report);

    /* The other verbs tell and stop too. */
    const char *written = output;
    seen = (watch){.caller = pthread_self()};
    CHECK_STATUS(fusion_verify(&written, 1, options, NULL, &error), FUSION_STATUS_OK, error);
    CHECK(seen.reads > 0);
    seen = (watch){.caller = pthread_self(), .stop_at = 1};
    CHECK(fusion_verify(&written, 1, options, NULL, NULL) == FUSION_STATUS_CANCELLED);
    seen = (watch){.caller = pthread_self(), .stop_at = 1};
    CHECK(fusion_inspect(output, options, NULL, NULL) == FUSION_STATUS_CANCELLED);

    fusion_options_set_progress(options, free_options, &options);
    CHECK_STATUS(fusion_inspect(output, options, NULL, &error), FUSION_STATUS_OK, error);
    CHECK(options == NULL);

    free(output);
    pair_free(sources);
    return 0;
}
