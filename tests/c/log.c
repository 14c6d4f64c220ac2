/* Each run's log goes to its own callback, on the thread that called. */
#include "check.h"

#include <pthread.h>

typedef struct lines {
    pthread_t caller;
    int count;
    int32_t coarsest;
    const char *mine; /* what the lines of this run name */
    int strange;      /* lines that name another run's file */
} lines;

static void heard(const fusion_log *log, void *user_data)
{
    lines *seen = user_data;
    CHECK(pthread_equal(seen->caller, pthread_self()));
    CHECK(log->size >= sizeof *log && log->target != NULL && log->message != NULL);
    CHECK(log->level >= FUSION_LOG_ERROR && log->level <= FUSION_LOG_TRACE);
    CHECK(strchr(log->message, '\n') == NULL);
    seen->count++;
    if (log->level > seen->coarsest)
        seen->coarsest = log->level;
    if (strstr(log->message, ".tar") != NULL && strstr(log->message, seen->mine) == NULL)
        seen->strange++;
}

static void *inspect(void *path)
{
    for (int round = 0; round < 10; round++) {
        fusion_options *options = fusion_options_new();
        fusion_error *error = NULL;
        const char *source = path;
        lines seen = {.caller = pthread_self(), .mine = source};
        fusion_options_set_log(options, heard, &seen, FUSION_LOG_TRACE);
        CHECK_STATUS(fusion_plan(&source, 1, NULL, options, NULL, &error), FUSION_STATUS_OK,
                     error);
        CHECK(seen.count > 0 && seen.strange == 0);
        fusion_options_free(options);
    }
    return NULL;
}

int main(void)
{
    pair sources = real_pair();
    fusion_options *options = fusion_options_new();
    fusion_error *error = NULL;
    lines seen = {.caller = pthread_self(), .mine = ""};

    fusion_options_set_log(options, heard, &seen, FUSION_LOG_DEBUG);
    CHECK_STATUS(fusion_plan(SOURCES(sources), NULL, options, NULL, &error), FUSION_STATUS_OK,
                 error);
    CHECK(seen.count > 0 && seen.coarsest == FUSION_LOG_DEBUG);

    /* Levels hold, and any number is one. */
    seen.count = 0;
    fusion_options_set_log(options, heard, &seen, FUSION_LOG_ERROR);
    CHECK(fusion_plan(SOURCES(sources), NULL, options, NULL, NULL) == FUSION_STATUS_OK);
    fusion_options_set_log(options, heard, &seen, INT32_MIN);
    CHECK(fusion_plan(SOURCES(sources), NULL, options, NULL, NULL) == FUSION_STATUS_OK);
    CHECK(seen.count == 0);
    fusion_options_set_log(options, heard, &seen, INT32_MAX);
    CHECK(fusion_plan(SOURCES(sources), NULL, options, NULL, NULL) == FUSION_STATUS_OK);
    CHECK(seen.count > 0);
    fusion_options_free(options);

    /* Two at once hear nothing of each other. */
    pthread_t threads[2];
    for (int at = 0; at < 2; at++)
        CHECK(pthread_create(&threads[at], NULL, inspect, sources.paths[at]) == 0);
    for (int at = 0; at < 2; at++)
        CHECK(pthread_join(threads[at], NULL) == 0);
    pair_free(sources);
    return 0;
}
