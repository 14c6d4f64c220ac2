/* Ten threads fuse at once, with one set of options, and get the same; then ten read one report. */
#include "check.h"

#include <pthread.h>

#define THREADS 10

typedef struct job {
    pair sources;
    const fusion_options *options;
    int number;
    fusion_report *report;
} job;

static void *fuse(void *argument)
{
    job *mine = argument;
    char name[32];
    snprintf(name, sizeof name, "thread-%d.tar", mine->number);
    char *output = join(folder("FUSION_SCRATCH"), name);
    fusion_error *error = NULL;
    CHECK_STATUS(fusion_fuse(SOURCES(mine->sources), output, mine->options, &mine->report, &error),
                 FUSION_STATUS_OK, error);
    free(output);
    return NULL;
}

static void *into_one(void *argument)
{
    job *mine = argument;
    char *output = join(folder("FUSION_SCRATCH"), "thread-one.tar");
    fusion_status status = fusion_fuse(SOURCES(mine->sources), output, NULL, NULL, NULL);
    CHECK(status == FUSION_STATUS_OK || status == FUSION_STATUS_BUSY
          || status == FUSION_STATUS_DESTINATION_EXISTS);
    mine->number = status;
    free(output);
    return NULL;
}

static void *read_report(void *argument)
{
    fusion_report *report = argument;
    for (int round = 0; round < 100; round++) {
        const char *digest = fusion_report_get(report, "/images/0/digest");
        CHECK(digest == fusion_report_image_digest(report, 0));
        CHECK_TEXT(fusion_report_get(report, "/status"), "ok");
        CHECK(fusion_report_get(report, "/images/0/platforms") != NULL);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    job jobs[THREADS];
    fusion_options *options = fusion_options_new();
    CHECK(fusion_options_set(options, "jobs", "2", NULL) == FUSION_STATUS_OK);
    for (int at = 0; at < THREADS; at++) {
        jobs[at] = (job){.sources = real_pair(), .options = options, .number = at};
        CHECK(pthread_create(&threads[at], NULL, fuse, &jobs[at]) == 0);
    }
    for (int at = 0; at < THREADS; at++)
        CHECK(pthread_join(threads[at], NULL) == 0);
    for (int at = 1; at < THREADS; at++) {
        size_t images = fusion_report_image_count(jobs[0].report);
        CHECK(images > 0 && images == fusion_report_image_count(jobs[at].report));
        for (size_t image = 0; image < images; image++)
            CHECK_TEXT(fusion_report_image_digest(jobs[at].report, image),
                       fusion_report_image_digest(jobs[0].report, image));
    }

    for (int at = 0; at < THREADS; at++)
        CHECK(pthread_create(&threads[at], NULL, read_report, jobs[0].report) == 0);
    for (int at = 0; at < THREADS; at++)
        CHECK(pthread_join(threads[at], NULL) == 0);

    /* All into one destination: exactly one gets there. */
    int winners = 0;
    for (int at = 0; at < THREADS; at++)
        CHECK(pthread_create(&threads[at], NULL, into_one, &jobs[at]) == 0);
    for (int at = 0; at < THREADS; at++) {
        CHECK(pthread_join(threads[at], NULL) == 0);
        winners += jobs[at].number == FUSION_STATUS_OK;
    }
    CHECK(winners == 1);

    for (int at = 0; at < THREADS; at++) {
        fusion_report_free(jobs[at].report);
        pair_free(jobs[at].sources);
    }
    fusion_options_free(options);
    return 0;
}
