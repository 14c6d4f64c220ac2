/* What the test programs share: checks that say where they failed, and paths. */
#ifndef CHECK_H
#define CHECK_H

#include <fusion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ends the program unless `condition` holds. */
#define CHECK(condition)                                                            \
    do {                                                                            \
        if (!(condition)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            exit(1);                                                                \
        }                                                                           \
    } while (0)

/* Ends the program unless two strings are equal. */
#define CHECK_TEXT(got, expected)                                                          \
    do {                                                                                   \
        const char *got_ = (got), *expected_ = (expected);                                 \
        if (got_ == NULL || strcmp(got_, expected_) != 0) {                                \
            fprintf(stderr, "%s:%d: %s is `%s`, not `%s`\n", __FILE__, __LINE__, #got,     \
                    got_ ? got_ : "(NULL)", expected_);                                    \
            exit(1);                                                                       \
        }                                                                                  \
    } while (0)

/* Ends the program, showing the error, unless `call` returned `expected`. The error is freed. */
#define CHECK_STATUS(call, expected, error)                                                   \
    do {                                                                                      \
        fusion_status status_ = (call);                                                       \
        if (status_ != (expected)) {                                                          \
            fprintf(stderr, "%s:%d: %s\n  gave %s, not %s: %s\n", __FILE__, __LINE__, #call,  \
                    fusion_status_name(status_), fusion_status_name(expected),                \
                    fusion_error_message(error));                                             \
            exit(1);                                                                          \
        }                                                                                     \
        fusion_error_free(error);                                                             \
        (error) = NULL;                                                                       \
    } while (0)

/* The folder given to the program in the environment. */
static inline const char *folder(const char *name)
{
    const char *path = getenv(name);
    if (path == NULL) {
        fprintf(stderr, "%s is not set; scripts/test-c.sh sets it\n", name);
        exit(2);
    }
    return path;
}

/* FOLDER/NAME, to be freed. */
static inline char *join(const char *folder, const char *name)
{
    size_t length = strlen(folder) + strlen(name) + 2;
    char *path = malloc(length);
    CHECK(path != NULL);
    snprintf(path, length, "%s/%s", folder, name);
    return path;
}

/* Two real archives, of the same images for two architectures. */
typedef struct pair {
    char *paths[2];
} pair;

static inline pair real_pair(void)
{
    const char *archives = folder("FUSION_ARCHIVES");
    pair made;
    made.paths[0] = join(archives, "docker-20.10-save-amd64.tar");
    made.paths[1] = join(archives, "docker-20.10-save-arm64.tar");
    return made;
}

static inline void pair_free(pair made)
{
    free(made.paths[0]);
    free(made.paths[1]);
}

/* For parameters that take `const char *const *`. */
#define SOURCES(pair) ((const char *const *)(pair).paths), (size_t)2

#endif
