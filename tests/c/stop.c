/* Stopping a run from another thread, and from a signal handler. */
#include "check.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static fusion_stop *flag;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void *request(void *unused)
{
    (void)unused;
    fusion_stop_request(flag);
    return NULL;
}

static void on_signal(int number)
{
    (void)number;
    fusion_stop_request(flag);
}

/* Has another thread stop the run at its first report, and waits until it has. */
static int32_t by_thread(const fusion_progress *progress, void *user_data)
{
    pthread_t other;
    (void)progress;
    CHECK(pthread_create(&other, NULL, request, NULL) == 0 && pthread_join(other, NULL) == 0);
    if (*(double *)user_data == 0)
        *(double *)user_data = now();
    return 0;
}

static int32_t by_signal(const fusion_progress *progress, void *user_data)
{
    (void)progress;
    CHECK(raise(SIGUSR1) == 0);
    if (*(double *)user_data == 0)
        *(double *)user_data = now();
    return 0;
}

static void stopped(fusion_progress_fn how, const char *output)
{
    pair sources = real_pair();
    fusion_options *options = fusion_options_new();
    fusion_error *error = NULL;
    double since = 0;
    flag = fusion_stop_new();
    fusion_options_set_stop(options, flag);
    fusion_options_set_progress(options, how, &since);
    CHECK_STATUS(fusion_fuse(SOURCES(sources), output, options, NULL, &error),
                 FUSION_STATUS_CANCELLED, error);
    /* Half a second as a rule; under valgrind on a busy machine everything takes longer. */
    CHECK(now() - since < (getenv("FUSION_SLOW") ? 30 : 0.5));
    CHECK(access(output, F_OK) != 0);

    /* A flag that is up stays up, also when C has freed its handle. Who asks to stop needs it. */
    fusion_options_set_progress(options, NULL, NULL);
    fusion_stop_free(flag);
    CHECK(fusion_verify(SOURCES(sources), options, NULL, NULL) == FUSION_STATUS_CANCELLED);
    fusion_options_set_stop(options, NULL);
    CHECK(fusion_verify(SOURCES(sources), options, NULL, NULL) == FUSION_STATUS_OK);
    fusion_options_free(options);
    pair_free(sources);
}

int main(void)
{
    char *output = join(folder("FUSION_SCRATCH"), "stop.tar");
    struct sigaction action = {.sa_handler = on_signal};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    stopped(by_thread, output);
    stopped(by_signal, output);
    free(output);
    return 0;
}
