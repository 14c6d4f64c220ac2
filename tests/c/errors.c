/* Provokes every kind of failure that can be reached from outside, and prints the names of the
 * statuses it got. scripts/test-c.sh compares them with the header's.
 *
 * FUSION_HOSTILE is a folder of bad archives: one folder for each, with the archive in it.
 */
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Ends the program unless a value of an error, if it has one, stands in its report too. */
static void reported(const fusion_error *error, const char *key, const char *value)
{
    char member[256];
    if (value == NULL)
        return;
    snprintf(member, sizeof member, "\"%s\": \"%s\"", key, value);
    CHECK(strstr(fusion_error_report_json(error), member) != NULL);
}

/* Checks what an error carries besides its status, prints the status and frees the error. */
enum { PATH = 1, DIGEST = 2, OFFSET = 4, HINT = 8, MEMBER = 16 };

static void got(fusion_status status, fusion_status expected, fusion_error *error, int carries)
{
    const char *digest = fusion_error_digest(error);
    if (status != expected) {
        fprintf(stderr, "%s, not %s: %s\n", fusion_status_name(status),
                fusion_status_name(expected), fusion_error_message(error));
        exit(1);
    }
    CHECK(fusion_error_status(error) == status);
    CHECK(fusion_error_message(error)[0] != '\0');
    CHECK(!(carries & PATH) || fusion_error_path(error) != NULL);
    CHECK(!(carries & DIGEST) || (digest != NULL && strncmp(digest, "sha256:", 7) == 0));
    CHECK(!(carries & OFFSET) || fusion_error_offset(error) >= 0);
    CHECK(!(carries & MEMBER) || fusion_error_member(error) != NULL);
    CHECK(!(carries & HINT) || fusion_error_hint(error) != NULL);
    /* The report of a verb has the same error in it. */
    if (fusion_error_report_json(error) != NULL) {
        reported(error, "kind", fusion_error_kind(error));
        reported(error, "member", fusion_error_member(error));
        reported(error, "digest", digest);
        char offset[48];
        if (fusion_error_offset(error) >= 0) {
            snprintf(offset, sizeof offset, "\"offset\": %" PRId64, fusion_error_offset(error));
            CHECK(strstr(fusion_error_report_json(error), offset) != NULL);
        }
    }
    puts(fusion_status_name(status));
    fusion_error_free(error);
}

/* Fuses one source into a destination of its own. */
static void one(const char *source, fusion_options *options, fusion_status expected, int carries)
{
    static int number;
    char name[32];
    snprintf(name, sizeof name, "error-%d.tar", number++);
    char *output = join(folder("FUSION_SCRATCH"), name);
    fusion_error *error = NULL;
    fusion_status status = fusion_fuse(&source, 1, output, options, NULL, &error);
    if (carries & PATH)
        CHECK_TEXT(fusion_error_path(error), source);
    got(status, expected, error, carries);
    CHECK(access(output, F_OK) != 0);
    free(output);
}

/* Fuses a bad archive. */
static void bad(const char *name, fusion_status expected, int carries)
{
    char *inside = join(folder("FUSION_HOSTILE"), name);
    DIR *directory = opendir(inside);
    CHECK(directory != NULL);
    struct dirent *entry;
    do {
        entry = readdir(directory);
        CHECK(entry != NULL);
    } while (entry->d_name[0] == '.');
    char *source = join(inside, entry->d_name);
    closedir(directory);
    one(source, NULL, expected, carries);
    free(source);
    free(inside);
}

static void options_and_choices(const char *source)
{
    fusion_options *options = fusion_options_new();
    fusion_error *error = NULL;
    fusion_status status = fusion_options_set(options, "jobs", "-1", &error);
    got(status, FUSION_STATUS_USAGE, error, 0);
    status = fusion_options_set(options, "image", "\xff", &error);
    got(status, FUSION_STATUS_USAGE, error, 0);
    status = fusion_options_set(options, NULL, NULL, &error);
    got(status, FUSION_STATUS_NULL_ARGUMENT, error, 0);
    CHECK(fusion_options_set(options, "image", "nothing-like-this*", NULL) == FUSION_STATUS_OK);
    one(source, options, FUSION_STATUS_NOTHING_SELECTED, 0);
    fusion_options_free(options);

    options = fusion_options_new();
    CHECK(fusion_options_add(options, "require-platform", "linux/s390x", NULL) == FUSION_STATUS_OK);
    one(source, options, FUSION_STATUS_PLATFORM_MISSING, 0);
    fusion_options_free(options);
}

static void files(const char *source)
{
    const char *scratch = folder("FUSION_SCRATCH");
    char *output = join(scratch, "errors.tar");
    fusion_error *error = NULL;
    CHECK(fusion_fuse(&source, 1, output, NULL, NULL, NULL) == FUSION_STATUS_OK);
    fusion_status status = fusion_fuse(&source, 1, output, NULL, NULL, &error);
    got(status, FUSION_STATUS_DESTINATION_EXISTS, error, PATH | HINT);
    free(output);

    /* A name that is not UTF-8 comes back byte for byte. */
    char *missing = join(scratch, "missing-\xff.tar");
    error = NULL;
    status = fusion_inspect(missing, NULL, NULL, &error);
    CHECK_TEXT(fusion_error_path(error), missing);
    CHECK(fusion_error_errno(error) == ENOENT);
    got(status, FUSION_STATUS_NOT_FOUND, error, PATH);
    free(missing);

    char name[301];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    error = NULL;
    status = fusion_inspect(name, NULL, NULL, &error);
    CHECK(fusion_error_errno(error) == ENAMETOOLONG);
    got(status, FUSION_STATUS_IO, error, PATH);
}

/* Root may read everything, so somebody else tries. */
static void permission(pair sources)
{
    char *closed = join(folder("FUSION_SCRATCH"), "closed");
    char *source = join(closed, "a.tar");
    CHECK(mkdir(closed, 0) == 0);
    fflush(stdout);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        fusion_error *error = NULL;
        if (geteuid() == 0)
            CHECK(setuid(65534) == 0);
        fusion_status status = fusion_inspect(source, NULL, NULL, &error);
        CHECK(fusion_error_errno(error) == EACCES);
        got(status, FUSION_STATUS_PERMISSION_DENIED, error, PATH);
        fflush(stdout);
        free(source);
        free(closed);
        pair_free(sources);
        _exit(0);
    }
    int ended = -1;
    CHECK(waitpid(child, &ended, 0) == child && WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
    CHECK(rmdir(closed) == 0);
    free(source);
    free(closed);
}

/* A device that is full, as standard output. */
static void no_space(const char *source)
{
    fflush(stdout);
    int out = dup(1), full = open("/dev/full", O_WRONLY);
    CHECK(out >= 0 && full >= 0 && dup2(full, 1) == 1);
    fusion_error *error = NULL;
    fusion_status status = fusion_fuse(&source, 1, "-", NULL, NULL, &error);
    CHECK(dup2(out, 1) == 1);
    close(out);
    close(full);
    CHECK(fusion_error_errno(error) == ENOSPC);
    got(status, FUSION_STATUS_NO_SPACE, error, 0);
}

/* A pipe that nobody reads, as standard output, in a program that leaves SIGPIPE as it is. */
static void broken_pipe(const char *source, fusion_options *options)
{
    int ends[2];
    fflush(stdout);
    int out = dup(1);
    CHECK(out >= 0 && pipe(ends) == 0 && dup2(ends[1], 1) == 1);
    close(ends[0]);
    close(ends[1]);
    fusion_error *error = NULL;
    fusion_status status = fusion_fuse(&source, 1, "-", options, NULL, &error);
    CHECK(dup2(out, 1) == 1);
    close(out);
    CHECK(fusion_error_errno(error) == EPIPE);
    got(status, FUSION_STATUS_IO, error, 0);
}

static int32_t go_on(const fusion_progress *progress, void *user_data)
{
    (void)progress;
    (void)user_data;
    return 0;
}

static void broken_pipes(const char *source)
{
    fusion_options *options = fusion_options_new();
    broken_pipe(source, options); /* on this thread */
    fusion_options_set_progress(options, go_on, NULL);
    broken_pipe(source, options); /* on another */
    fusion_options_free(options);
}

typedef struct meddler {
    const char *source, *output;
} meddler;

/* Cuts the source while it is mapped. */
static int32_t cut(const fusion_progress *progress, void *user_data)
{
    meddler *me = user_data;
    if (strcmp(progress->phase, "write") == 0)
        CHECK(truncate(me->source, 1024) == 0);
    return 0;
}

/* Fuses into the destination of the run that calls this. */
static int32_t again(const fusion_progress *progress, void *user_data)
{
    meddler *me = user_data;
    fusion_error *error = NULL;
    if (strcmp(progress->phase, "write") != 0)
        return 0;
    fusion_status status = fusion_fuse(&me->source, 1, me->output, NULL, NULL, &error);
    got(status, FUSION_STATUS_BUSY, error, PATH);
    return 1;
}

static void copy(const char *from, const char *to)
{
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    CHECK(in != NULL && out != NULL);
    for (int byte; (byte = getc(in)) != EOF;)
        putc(byte, out);
    CHECK(fclose(in) == 0 && fclose(out) == 0);
}

static void meddled(const char *source)
{
    const char *scratch = folder("FUSION_SCRATCH");
    char *copied = join(scratch, "cut.tar"), *output = join(scratch, "meddled.tar");
    meddler me = {copied, output};
    fusion_options *options = fusion_options_new();
    fusion_error *error = NULL;
    copy(source, copied);
    fusion_options_set_progress(options, again, &me);
    fusion_status status = fusion_fuse(&me.source, 1, output, options, NULL, &error);
    got(status, FUSION_STATUS_CANCELLED, error, 0);
    fusion_options_set_progress(options, cut, &me);
    error = NULL;
    status = fusion_fuse(&me.source, 1, output, options, NULL, &error);
    CHECK_TEXT(fusion_error_path(error), copied);
    got(status, FUSION_STATUS_INPUT_CHANGED, error, PATH);
    CHECK(access(output, F_OK) != 0);
    fusion_options_free(options);
    free(copied);
    free(output);
}

/* A registry that answers everything with `reply`; of `harbor` it knows the API, and no project. */
typedef struct fake {
    pid_t pid;
    char host[32];
} fake;

static void answer(int client, const char *reply, int harbor)
{
    char request[8192];
    size_t length = 0;
    ssize_t got = 1;
    while (got > 0 && length + 1 < sizeof request) {
        got = read(client, request + length, sizeof request - 1 - length);
        length += got > 0 ? (size_t)got : 0;
        request[length] = '\0';
        if (strstr(request, "\r\n\r\n") != NULL)
            break;
    }
    if (harbor && strstr(request, " /v2/ ") != NULL)
        reply = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
    else if (harbor && strstr(request, " /api/v2.0/ping ") != NULL)
        reply = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nPong";
    size_t sent = 0, all = strlen(reply);
    while (sent < all && (got = write(client, reply + sent, all - sent)) > 0)
        sent += (size_t)got;
    close(client);
}

static fake pretend(const char *reply, int harbor)
{
    struct sockaddr_in place = {.sin_family = AF_INET};
    socklen_t length = sizeof place;
    fake made;
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int server = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(server >= 0 && bind(server, (struct sockaddr *)&place, length) == 0);
    CHECK(listen(server, 16) == 0);
    CHECK(getsockname(server, (struct sockaddr *)&place, &length) == 0);
    snprintf(made.host, sizeof made.host, "127.0.0.1:%d", ntohs(place.sin_port));
    fflush(stdout);
    made.pid = fork();
    CHECK(made.pid >= 0);
    if (made.pid == 0)
        for (;;)
            answer(accept(server, NULL, NULL), reply, harbor);
    close(server);
    return made;
}

/* Pushes to a registry that answers `reply`. */
static void refused(const char *source, const char *reply, int harbor, fusion_status expected)
{
    fake registry = pretend(reply, harbor);
    fusion_options *options = fusion_options_new();
    fusion_error *error = NULL;
    CHECK(fusion_options_set(options, "plain-http", "true", NULL) == FUSION_STATUS_OK);
    CHECK(fusion_options_set(options, "retries", "0", NULL) == FUSION_STATUS_OK);
    fusion_status status = fusion_push(&source, 1, registry.host, options, NULL, &error);
    got(status, expected, error, 0);
    fusion_options_free(options);
    CHECK(kill(registry.pid, SIGKILL) == 0 && waitpid(registry.pid, NULL, 0) == registry.pid);
}

static void registries(const char *source)
{
    refused(source,
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"r\"\r\n"
            "Content-Length: 0\r\nConnection: close\r\n\r\n",
            0, FUSION_STATUS_UNAUTHORIZED);
    refused(source,
            "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: 45\r\n"
            "Connection: close\r\n\r\n{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no\"}]}",
            0, FUSION_STATUS_DENIED);
    refused(source,
            "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 0,
            FUSION_STATUS_REGISTRY);
    refused(source,
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 1,
            FUSION_STATUS_PROJECT_MISSING);

    /* Nobody listens there any more. */
    fake gone = pretend("", 0);
    fusion_options *options = fusion_options_new();
    fusion_error *error = NULL;
    CHECK(kill(gone.pid, SIGKILL) == 0 && waitpid(gone.pid, NULL, 0) == gone.pid);
    CHECK(fusion_options_set(options, "retries", "0", NULL) == FUSION_STATUS_OK);
    fusion_status status = fusion_push(&source, 1, gone.host, options, NULL, &error);
    got(status, FUSION_STATUS_UNREACHABLE, error, 0);
    fusion_options_free(options);
}

int main(void)
{
    pair sources = real_pair();
    permission(sources);
    options_and_choices(sources.paths[0]);
    files(sources.paths[0]);
    no_space(sources.paths[0]);
    broken_pipes(sources.paths[0]);
    meddled(sources.paths[0]);
    bad("flipped-layer-oci", FUSION_STATUS_DIGEST_MISMATCH, PATH | MEMBER | DIGEST);
    bad("header-checksum", FUSION_STATUS_INVALID_ARCHIVE, PATH | OFFSET);
    bad("schema1", FUSION_STATUS_UNSUPPORTED, PATH);
    bad("deep-indexes", FUSION_STATUS_LIMIT_EXCEEDED, PATH);
    bad("same-reference-twice-oci", FUSION_STATUS_CONFLICT, 0);
    registries(sources.paths[0]);
    one("", NULL, FUSION_STATUS_USAGE, 0);
    pair_free(sources);
    return 0;
}
