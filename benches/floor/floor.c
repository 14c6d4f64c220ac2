/* The floor under any fuser: hashes the distinct blobs with OpenSSL on all cores, the largest
 * first, and then copies each of them once. No tar, no JSON, no names, nothing safe.
 *
 *     floor [--archive] [--sync] [--jobs N] [--copiers N] [--write] LIST OUT
 *
 * LIST has a line for each blob: offset, size, SHA-256, file, separated by blanks.
 * OUT becomes a directory of files; with --archive one file, each blob at a multiple of 512.
 * --write copies with read and write where copy_file_range is the default. --sync ends with sync().
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 1 << 20, HEX = 64 };

struct blob {
    uint64_t offset, size, target;
    char digest[HEX + 1];
    char *path;
    int file;
};

static struct blob *blobs;
static size_t count;
static atomic_size_t next;
static int out, archive, by_write;

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("floor: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(1);
}

static void *buffer(void) {
    void *bytes = NULL;
    if (posix_memalign(&bytes, 4096, CHUNK) != 0)
        fail("out of memory");
    return bytes;
}

static size_t read_piece(const struct blob *blob, uint64_t done, void *bytes) {
    size_t want = blob->size - done < CHUNK ? blob->size - done : CHUNK;
    ssize_t got = pread(blob->file, bytes, want, (off_t)(blob->offset + done));
    if (got <= 0)
        fail("%s: %s", blob->path, got < 0 ? strerror(errno) : "it ends too early");
    return (size_t)got;
}

static void hash(const struct blob *blob, EVP_MD_CTX *context, void *bytes) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    char hex[HEX + 1];
    EVP_DigestInit_ex(context, EVP_sha256(), NULL);
    for (uint64_t done = 0; done < blob->size;) {
        size_t got = read_piece(blob, done, bytes);
        EVP_DigestUpdate(context, bytes, got);
        done += got;
    }
    EVP_DigestFinal_ex(context, digest, NULL);
    for (int at = 0; at < HEX / 2; at++)
        sprintf(hex + 2 * at, "%02x", digest[at]);
    if (strcmp(hex, blob->digest) != 0)
        fail("%s: %s is not at %" PRIu64, blob->path, blob->digest, blob->offset);
}

static void copy(const struct blob *blob, void *bytes) {
    int to = archive ? out : openat(out, blob->digest, O_WRONLY | O_CREAT | O_EXCL, 0644);
    if (to < 0)
        fail("%s: %s", blob->digest, strerror(errno));
    for (uint64_t done = 0; done < blob->size;) {
        off_t from = (off_t)(blob->offset + done), at = (off_t)(blob->target + done);
        ssize_t step;
        if (by_write)
            step = pwrite(to, bytes, read_piece(blob, done, bytes), at);
        else
            step = copy_file_range(blob->file, &from, to, &at, blob->size - done, 0);
        if (step <= 0)
            fail("%s: cannot copy: %s", blob->digest, strerror(errno));
        done += (uint64_t)step;
    }
    if (!archive)
        close(to);
}

static void *hasher(void *unused) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    void *bytes = buffer();
    for (size_t at; (at = atomic_fetch_add(&next, 1)) < count;)
        hash(&blobs[at], context, bytes);
    return unused;
}

static void *copier(void *unused) {
    void *bytes = buffer();
    for (size_t at; (at = atomic_fetch_add(&next, 1)) < count;)
        copy(&blobs[at], bytes);
    return unused;
}

/* Runs `work` on so many threads and returns the seconds it took. */
static double all(void *(*work)(void *), long jobs) {
    struct timespec begun, ended;
    pthread_t threads[jobs];
    atomic_store(&next, 0);
    clock_gettime(CLOCK_MONOTONIC, &begun);
    for (long at = 0; at < jobs; at++)
        if (pthread_create(&threads[at], NULL, work, NULL) != 0)
            fail("cannot start a thread");
    for (long at = 0; at < jobs; at++)
        pthread_join(threads[at], NULL);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    return (double)(ended.tv_sec - begun.tv_sec) + (double)(ended.tv_nsec - begun.tv_nsec) / 1e9;
}

static int larger_first(const void *one, const void *other) {
    uint64_t a = ((const struct blob *)one)->size, b = ((const struct blob *)other)->size;
    return (a < b) - (a > b);
}

static void read_list(const char *path) {
    FILE *list = fopen(path, "r");
    struct blob blob = {0};
    if (list == NULL)
        fail("%s: %s", path, strerror(errno));
    while (fscanf(list, "%" SCNu64 " %" SCNu64 " %64s %m[^\n]", &blob.offset, &blob.size,
                  blob.digest, &blob.path) == 4) {
        /* A file of many blobs is opened once; the list names it in consecutive lines. */
        int same = count > 0 && strcmp(blobs[count - 1].path, blob.path) == 0;
        blob.file = same ? blobs[count - 1].file : open(blob.path, O_RDONLY);
        if (blob.file < 0)
            fail("%s: %s", blob.path, strerror(errno));
        blobs = realloc(blobs, (count + 1) * sizeof *blobs);
        if (blobs == NULL)
            fail("out of memory");
        blobs[count++] = blob;
    }
    fclose(list);
}

/* In an archive the blobs lie in the order of the list, each with room for a header before it. */
static uint64_t place(void) {
    uint64_t end = 0;
    for (size_t at = 0; at < count; at++) {
        blobs[at].target = end + 512;
        end = blobs[at].target + (blobs[at].size + 511) / 512 * 512;
    }
    return end + 1024;
}

int main(int argc, char **argv) {
    long jobs = sysconf(_SC_NPROCESSORS_ONLN), copiers = 0;
    int option, sync_after = 0;
    const struct option options[] = {{"archive", no_argument, &archive, 1},
                                     {"sync", no_argument, &sync_after, 1},
                                     {"write", no_argument, &by_write, 1},
                                     {"jobs", required_argument, NULL, 'j'},
                                     {"copiers", required_argument, NULL, 'c'},
                                     {0}};
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'j')
            jobs = atol(optarg);
        else if (option == 'c')
            copiers = atol(optarg);
        else if (option == '?')
            return 2;
    }
    if (argc - optind != 2 || jobs < 1 || copiers < 0)
        fail("usage: floor [--archive] [--sync] [--jobs N] [--copiers N] [--write] LIST OUT");
    read_list(argv[optind]);
    if (archive) {
        uint64_t length = place();
        out = open(argv[optind + 1], O_WRONLY | O_CREAT | O_EXCL, 0644);
        if (out >= 0 && ftruncate(out, (off_t)length) != 0)
            fail("%s: %s", argv[optind + 1], strerror(errno));
    } else {
        mkdir(argv[optind + 1], 0755);
        out = open(argv[optind + 1], O_RDONLY | O_DIRECTORY);
    }
    if (out < 0)
        fail("%s: %s", argv[optind + 1], strerror(errno));
    qsort(blobs, count, sizeof *blobs, larger_first);
    double hashed = all(hasher, jobs), copied = all(copier, copiers > 0 ? copiers : jobs);
    if (sync_after)
        sync();
    printf("hash %.3f copy %.3f\n", hashed, copied);
    return 0;
}
