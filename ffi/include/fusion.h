/*
 * fusion.h - the C interface of fusion, which fuses per-architecture container image archives
 * into multi-architecture ones.
 *
 *     const char *sources[] = {"images-amd64.tar", "images-arm64.tar"};
 *     fusion_report *report = NULL;
 *     fusion_error *error = NULL;
 *     if (fusion_fuse(sources, 2, "images.tar", NULL, &report, &error) != FUSION_STATUS_OK)
 *         fprintf(stderr, "error: %s\n", fusion_error_message(error));
 *     else
 *         puts(fusion_report_json(report));
 *     fusion_report_free(report);
 *     fusion_error_free(error);
 *
 * What holds for all of it:
 *
 * - Handles are made by this library and freed by the function that ends in _free, once. Freeing
 *   NULL does nothing. Nothing else is ever the caller's to free.
 * - A string that is returned belongs to the handle it was taken from, and lives as long.
 * - What is passed in is copied or used during the call only.
 * - Outputs are written only on success, an error only on failure: set both to NULL first.
 * - No function keeps anything for a thread; errors are values.
 * - A pointer that may not be NULL is looked at: FUSION_STATUS_NULL_ARGUMENT.
 * - A bug inside is FUSION_STATUS_PANIC, never the end of the process. (What went wrong is
 *   printed to standard error as well.)
 *
 * Written from the sources of fusion: do not edit.
 */

#ifndef FUSION_H
#define FUSION_H

#include <stddef.h>
#include <stdint.h>

/** The major version of this header. */
#define FUSION_VERSION_MAJOR 0
/** The minor version of this header. */
#define FUSION_VERSION_MINOR 1
/** The patch version of this header. */
#define FUSION_VERSION_PATCH 0
/** The version of this header as text. */
#define FUSION_VERSION_STRING "0.1.0"
/** The version of this header: MAJOR * 1000000 + MINOR * 1000 + PATCH. */
#define FUSION_VERSION_NUMBER 1000


/**
 * Log nothing.
 */
#define FUSION_LOG_OFF 0

/**
 * Log what fails.
 */
#define FUSION_LOG_ERROR 1

/**
 * Also what somebody should look at.
 */
#define FUSION_LOG_WARN 2

/**
 * Also the larger steps.
 */
#define FUSION_LOG_INFO 3

/**
 * Also what helps to find a mistake.
 */
#define FUSION_LOG_DEBUG 4

/**
 * Everything.
 */
#define FUSION_LOG_TRACE 5

/**
 * Why a call failed: the status, a message, where it happened, what to do next.
 *
 * A call that fails makes one if it is passed the address of a pointer as its last argument, and
 * otherwise leaves that pointer as it was.
 *
 * Thread safety: it never changes; any number of threads may read it at once.
 *
 * Lifetime: it depends on nothing else. Strings taken from it live until it is freed.
 *
 * @since 0.1
 */
typedef struct fusion_error fusion_error;

/**
 * The choices of a call: the options of the command line by their names, and callbacks.
 *
 * One handle serves any verb and any number of calls; a verb looks only at what concerns it. NULL
 * in its place means that nothing was chosen.
 *
 * Thread safety: to be changed by one thread at a time. As long as nobody changes it, any number
 * of threads may make calls with it at once; each then calls the same callbacks.
 *
 * Lifetime: a call copies it first of all. It may be changed or freed as soon as the call has
 * begun, also from a callback.
 *
 * @since 0.1
 */
typedef struct fusion_options fusion_options;

/**
 * What a call did or found, as a JSON document: fusion.report/v1 of fusion_fuse, fusion_plan,
 * fusion_push and fusion_index_create, fusion.inspect/v1 of fusion_inspect, fusion.verify/v1 of
 * fusion_verify.
 *
 * Thread safety: what it says never changes; any number of threads may read it at once.
 *
 * Lifetime: it depends on nothing else. Strings taken from it live until it is freed.
 *
 * @since 0.1
 */
typedef struct fusion_report fusion_report;

/**
 * A flag that stops runs. Once raised it stays raised: make another one for the next run.
 *
 * Thread safety: fusion_stop_request may be called from any thread and in a signal handler, at
 * any time before the flag is freed, also several times.
 *
 * Lifetime: options and runs keep what they need of it; it may be freed before they end.
 *
 * @since 0.1
 */
typedef struct fusion_stop fusion_stop;

/**
 * What a call returns: FUSION_STATUS_OK, or a negative number that says what kind of failure it
 * was.
 *
 * Numbers stand in families of twenty, with gaps: arguments from -1 on, inputs from -20, files
 * from -40, registries from -60. None is ever given another meaning. A later version may return
 * one that is not listed here, so have a default case.
 *
 * @since 0.1
 */
typedef int32_t fusion_status;

/**
 * How far a run is; what a fusion_progress_fn is given.
 *
 * Thread safety and lifetime: it is there for the one call of the callback, on its thread. Copy
 * what is to stay.
 *
 * Later versions may add members at its end, and say so by `size`. Only the library makes one.
 *
 * @since 0.1
 */
typedef struct fusion_progress {
    /**
     * The size of this structure in bytes, as the library has it.
     */
    size_t size;
    /**
     * What the run is doing: "read", "write" or "publish"; later versions may have other words.
     * The string is always there.
     */
    const char *phase;
    /**
     * Bytes done in this phase.
     */
    uint64_t bytes;
    /**
     * Bytes to do in this phase; 0 while that is unknown.
     */
    uint64_t total_bytes;
    /**
     * Blobs done in this phase.
     */
    uint64_t blobs;
    /**
     * Blobs to do in this phase; 0 while that is unknown.
     */
    uint64_t total_blobs;
} fusion_progress;

/**
 * Is told how far a run is. Return 0 to go on, anything else to stop: the call then ends with
 * FUSION_STATUS_CANCELLED, and publishes nothing.
 *
 * It is called on the thread that called the verb, at most ten times a second, and at least once
 * in every phase; not again once it has said stop. It may call this library. It must return: no
 * longjmp, no C++ exception.
 *
 * @param progress how far the run is; gone when the callback returns
 * @param user_data as it was passed to fusion_options_set_progress
 * @since 0.1
 */
typedef int32_t (*fusion_progress_fn)(const struct fusion_progress *progress, void *user_data);

/**
 * One line of a run's log; what a fusion_log_fn is given.
 *
 * Thread safety and lifetime: it is there for the one call of the callback, on its thread. Copy
 * what is to stay.
 *
 * Later versions may add members at its end, and say so by `size`. Only the library makes one.
 *
 * @since 0.1
 */
typedef struct fusion_log {
    /**
     * The size of this structure in bytes, as the library has it.
     */
    size_t size;
    /**
     * FUSION_LOG_ERROR to FUSION_LOG_TRACE.
     */
    int32_t level;
    /**
     * The part of the engine that says it. The string is always there.
     */
    const char *target;
    /**
     * One line of UTF-8, without its end. The string is always there.
     */
    const char *message;
} fusion_log;

/**
 * Is given what a run logs, line by line.
 *
 * It is called on the thread that called the verb, whichever thread had something to say: within
 * a tenth of a second, and before the call returns. Runs do not see each other's lines. It may
 * call this library. It must return: no longjmp, no C++ exception.
 *
 * @param log one line; gone when the callback returns
 * @param user_data as it was passed to fusion_options_set_log
 * @since 0.1
 */
typedef void (*fusion_log_fn)(const struct fusion_log *log, void *user_data);

/**
 * It worked.
 */
#define FUSION_STATUS_OK 0

/**
 * An option, reference, platform or glob that cannot be understood, or a combination that makes
 * no sense.
 */
#define FUSION_STATUS_USAGE -1

/**
 * The choices made leave nothing to do.
 */
#define FUSION_STATUS_NOTHING_SELECTED -2

/**
 * A pointer that is needed is NULL.
 */
#define FUSION_STATUS_NULL_ARGUMENT -10

/**
 * An archive, layout or document that is not what it should be.
 */
#define FUSION_STATUS_INVALID_ARCHIVE -20

/**
 * Content whose digest is not the one it goes by.
 */
#define FUSION_STATUS_DIGEST_MISMATCH -21

/**
 * A format that is known and not supported.
 */
#define FUSION_STATUS_UNSUPPORTED -22

/**
 * An input that asks for more than is sensible.
 */
#define FUSION_STATUS_LIMIT_EXCEEDED -23

/**
 * An input changed while it was read.
 */
#define FUSION_STATUS_INPUT_CHANGED -24

/**
 * Inputs disagree: on the image of one reference and platform, on a chart, or on a file.
 */
#define FUSION_STATUS_CONFLICT -30

/**
 * An image lacks a platform that was required.
 */
#define FUSION_STATUS_PLATFORM_MISSING -31

/**
 * The destination exists, and no option says what to do with it.
 */
#define FUSION_STATUS_DESTINATION_EXISTS -40

/**
 * A file or directory that does not exist.
 */
#define FUSION_STATUS_NOT_FOUND -41

/**
 * A file or directory that may not be read or written.
 */
#define FUSION_STATUS_PERMISSION_DENIED -42

/**
 * Another run is writing the destination.
 */
#define FUSION_STATUS_BUSY -43

/**
 * Any other failure of the file system.
 */
#define FUSION_STATUS_IO -44

/**
 * Not enough space for what has to be written.
 */
#define FUSION_STATUS_NO_SPACE -45

/**
 * A registry refused something, or answered what it should not.
 */
#define FUSION_STATUS_REGISTRY -60

/**
 * A registry wants other credentials, or any.
 */
#define FUSION_STATUS_UNAUTHORIZED -61

/**
 * A registry that cannot be reached, or not securely.
 */
#define FUSION_STATUS_UNREACHABLE -62

/**
 * A project that a registry does not have.
 */
#define FUSION_STATUS_PROJECT_MISSING -63

/**
 * A registry allows something to nobody, or not to this user: a full quota, a tag that may not
 * change, a permission.
 */
#define FUSION_STATUS_DENIED -64

/**
 * Stopped, by a callback or a fusion_stop. Nothing was published.
 */
#define FUSION_STATUS_CANCELLED -90

/**
 * A bug in fusion; the process lives on.
 */
#define FUSION_STATUS_PANIC -99

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library that is loaded: MAJOR * 1000000 + MINOR * 1000 + PATCH.
 *
 * FUSION_VERSION_NUMBER is that of the header. A program that minds compares the two.
 *
 * Thread safety: any thread, at any time.
 *
 * @since 0.1
 */
uint32_t fusion_version_number(void);

/**
 * The version of the library that is loaded, as text: "0.1.0".
 *
 * Thread safety: any thread, at any time.
 *
 * @return a string that is always there
 * @since 0.1
 */
const char *fusion_version_string(void);

/**
 * The name of a status, for logs: "FUSION_STATUS_CANCELLED".
 *
 * Thread safety: any thread, at any time.
 *
 * @param status any number
 * @return a string that is always there; "FUSION_STATUS_UNKNOWN" for a number that is none
 * @since 0.1
 */
const char *fusion_status_name(fusion_status status);

/**
 * The status that the call returned.
 *
 * @param error the error; NULL gives FUSION_STATUS_OK
 * @since 0.1
 */
fusion_status fusion_error_status(const struct fusion_error *error);

/**
 * The stable name of the kind of failure, as it stands in reports: "digest-mismatch". A NULL
 * argument is "usage", a panic "internal".
 *
 * @param error the error; NULL gives NULL
 * @return a string that lives as long as the error
 * @since 0.1
 */
const char *fusion_error_kind(const struct fusion_error *error);

/**
 * What went wrong and where, as one line of UTF-8, without the hint.
 *
 * Names in it come from archives as they are: clean them before showing them on a terminal.
 *
 * @param error the error; NULL gives the empty string
 * @return a string that lives as long as the error, and is always there
 * @since 0.1
 */
const char *fusion_error_message(const struct fusion_error *error);

/**
 * The file or directory concerned, byte for byte.
 *
 * @param error the error; NULL gives NULL
 * @return a string that lives as long as the error; NULL if no file is concerned
 * @since 0.1
 */
const char *fusion_error_path(const struct fusion_error *error);

/**
 * The member of the archive concerned.
 *
 * @param error the error; NULL gives NULL
 * @return a string that lives as long as the error; NULL if no member is concerned
 * @since 0.1
 */
const char *fusion_error_member(const struct fusion_error *error);

/**
 * The digest that was expected, "sha256:...".
 *
 * @param error the error; NULL gives NULL
 * @return a string that lives as long as the error; NULL if no digest is concerned
 * @since 0.1
 */
const char *fusion_error_digest(const struct fusion_error *error);

/**
 * What to do next, as one line of UTF-8. It names options as the command line does:
 * `--on-existing merge` is fusion_options_set(options, "on-existing", "merge", ...).
 *
 * @param error the error; NULL gives NULL
 * @return a string that lives as long as the error; NULL if no remedy is known
 * @since 0.1
 */
const char *fusion_error_hint(const struct fusion_error *error);

/**
 * The byte of the file, or of the stream inside a compressed one, at which it happened.
 *
 * @param error the error; NULL gives -1
 * @return a position from 0 on; -1 if none is known
 * @since 0.1
 */
int64_t fusion_error_offset(const struct fusion_error *error);

/**
 * The system's error number (ENOENT, ...), where the system refused something.
 *
 * @param error the error; NULL gives 0
 * @return the number; 0 if the system refused nothing
 * @since 0.1
 */
int32_t fusion_error_errno(const struct fusion_error *error);

/**
 * The report of the run that failed, as far as it came: the document of the verb, with its "error"
 * filled in.
 *
 * @param error the error; NULL gives NULL
 * @return JSON that lives as long as the error; NULL if it was not a verb that failed
 * @since 0.1
 */
const char *fusion_error_report_json(const struct fusion_error *error);

/**
 * Frees the error and the strings taken from it.
 *
 * @param error the error; nothing happens if it is NULL
 * @since 0.1
 */
void fusion_error_free(struct fusion_error *error);

/**
 * Makes a flag that is down.
 *
 * @return a flag to be freed with fusion_stop_free; NULL only after an internal failure
 * @since 0.1
 */
struct fusion_stop *fusion_stop_new(void);

/**
 * Raises the flag: every run whose options have it ends with FUSION_STATUS_CANCELLED within half
 * a second, and publishes nothing.
 *
 * Thread safety: any thread; safe in a signal handler.
 *
 * @param stop the flag; nothing happens if it is NULL
 * @since 0.1
 */
void fusion_stop_request(struct fusion_stop *stop);

/**
 * Frees the flag. Runs and options that have it go on.
 *
 * @param stop the flag; nothing happens if it is NULL
 * @since 0.1
 */
void fusion_stop_free(struct fusion_stop *stop);

/**
 * The whole document as indented JSON, the same that the command line prints with --json.
 *
 * @param report the report; NULL gives NULL
 * @return UTF-8 that lives as long as the report
 * @since 0.1
 */
const char *fusion_report_json(const struct fusion_report *report);

/**
 * One value of the document: "/images/0/digest", "/images/0/platforms/1/platform", "/status".
 *
 * A string is given as it is (a NUL inside as U+FFFD), anything else as JSON: "true", "12".
 *
 * @param report the report; NULL gives NULL
 * @param json_pointer where the value stands, as in RFC 6901; NULL gives NULL
 * @return UTF-8 that lives as long as the report; NULL if there is nothing, or null
 * @since 0.1
 */
const char *fusion_report_get(struct fusion_report *report, const char *json_pointer);

/**
 * How many images the document lists. fusion_verify lists none.
 *
 * @param report the report; NULL gives 0
 * @since 0.1
 */
size_t fusion_report_image_count(const struct fusion_report *report);

/**
 * The normalised reference of an image: "docker.io/library/nginx:1.25".
 *
 * @param report the report; NULL gives NULL
 * @param index which image, from 0 on
 * @return UTF-8 that lives as long as the report; NULL if there is no such image, or it has no
 *   name
 * @since 0.1
 */
const char *fusion_report_image_reference(const struct fusion_report *report, size_t index);

/**
 * The digest that the reference of an image leads to: "sha256:...".
 *
 * @param report the report; NULL gives NULL
 * @param index which image, from 0 on
 * @return UTF-8 that lives as long as the report; NULL if there is no such image, or its digest
 *   is not known (a plan that compresses, an image that failed)
 * @since 0.1
 */
const char *fusion_report_image_digest(const struct fusion_report *report, size_t index);

/**
 * Frees the report and the strings taken from it.
 *
 * @param report the report; nothing happens if it is NULL
 * @since 0.1
 */
void fusion_report_free(struct fusion_report *report);

/**
 * Makes options that have nothing chosen.
 *
 * @return options to be freed with fusion_options_free; NULL only after an internal failure
 * @since 0.1
 */
struct fusion_options *fusion_options_new(void);

/**
 * Sets an option. One that is repeatable then has just this value.
 *
 * Names are those of the command line without dashes. What is chosen and how it is done:
 * "annotation", "clean", "compression", "docker-platform", "dry-run", "durability", "exclude",
 * "format", "image", "jobs", "keep-going", "media-types", "name", "on-conflict", "on-existing",
 * "on-file-conflict", "platform", "rename", "require-platform", "source-platform",
 * "strip-arch-suffix", "verify", "work-dir". How to get into registries: "insecure", "password",
 * "plain-http", "retries", "tls-ca", "username". What happens there: "claim-tags",
 * "clean-claims", "create-projects", "names". Of fusion_sync and fusion_import_addon: "chart",
 * "latest-version-only", "on-existing-chart", "skip-images", "source", "values". Of
 * fusion_index_create: "append", "remove". Besides, "reference" has fusion_inspect look at one
 * image only. A switch takes "true" or "false". The value is checked at once.
 *
 * A password is never given back: neither errors nor logs nor reports show it.
 *
 * Options that are no choice but a matter of the terminal (--json, --progress, --log-file, ...)
 * have functions here in their place.
 *
 * @param options the options; not NULL
 * @param name UTF-8, not NULL; copied
 * @param value UTF-8, not NULL; copied
 * @param error where an error goes; may be NULL
 * @return FUSION_STATUS_OK; FUSION_STATUS_USAGE, with the options as they were, for an unknown
 *   name, or a value that makes no sense; FUSION_STATUS_NULL_ARGUMENT
 * @since 0.1
 */
fusion_status fusion_options_set(struct fusion_options *options,
                                 const char *name,
                                 const char *value,
                                 struct fusion_error **error);

/**
 * Adds a value to a repeatable option: "annotation", "chart", "exclude", "image", "platform",
 * "remove", "rename", "require-platform", "source", "source-platform", "values".
 *
 * @param options the options; not NULL
 * @param name UTF-8, not NULL; copied
 * @param value UTF-8, not NULL; copied
 * @param error where an error goes; may be NULL
 * @return as fusion_options_set; FUSION_STATUS_USAGE also for an option that has one value
 * @since 0.1
 */
fusion_status fusion_options_add(struct fusion_options *options,
                                 const char *name,
                                 const char *value,
                                 struct fusion_error **error);

/**
 * Has a callback told how far runs are.
 *
 * @param options the options; nothing happens if they are NULL
 * @param progress the callback; NULL for none
 * @param user_data what it is called with; never looked at, may be NULL
 * @since 0.1
 */
void fusion_options_set_progress(struct fusion_options *options,
                                 fusion_progress_fn progress,
                                 void *user_data);

/**
 * Has a callback given what runs log.
 *
 * @param options the options; nothing happens if they are NULL
 * @param log the callback; NULL for none
 * @param user_data what it is called with; never looked at, may be NULL
 * @param level how much: FUSION_LOG_OFF to FUSION_LOG_TRACE; what lies beyond counts as the
 *   nearest
 * @since 0.1
 */
void fusion_options_set_log(struct fusion_options *options,
                            fusion_log_fn log,
                            void *user_data,
                            int32_t level);

/**
 * Lets a flag stop runs.
 *
 * @param options the options; nothing happens if they are NULL
 * @param stop the flag, which they share from now on and which stays the caller's to free; NULL
 *   for none
 * @since 0.1
 */
void fusion_options_set_stop(struct fusion_options *options, struct fusion_stop *stop);

/**
 * Frees the options.
 *
 * @param options the options; nothing happens if they are NULL
 * @since 0.1
 */
void fusion_options_free(struct fusion_options *options);

/**
 * Fuses the images of all sources into one destination: pairs them by reference, keeps one
 * manifest per platform, and writes one index per reference. The destination appears whole or not
 * at all.
 *
 * Thread safety: any number of threads may do this at once. Two runs into one destination do not
 * mix: one of them gets FUSION_STATUS_BUSY.
 *
 * If the output is "-" and nobody reads it any more, or it is closed, that is FUSION_STATUS_IO;
 * meanwhile the thread does not get SIGPIPE.
 *
 * @param sources paths, any bytes: image archives (.tar, .tar.gz, .tar.zst), OCI layouts, chart
 *   bundles and packages of them, in the order that decides between them; skopeo's prefixes are
 *   understood (docker-archive:, oci-archive:, oci:, docker:// for an image in a registry), and
 *   bundle: and package:; "-" is standard input. Used during the call only
 * @param count how many sources there are
 * @param output a path, any bytes; a directory if it ends in "/", "-" is standard output,
 *   docker://HOST/PREFIX is a registry, and then this is fusion_push. May be NULL only if the
 *   option "dry-run" is set. Used during the call only
 * @param options what was chosen; NULL for nothing
 * @param report where the report goes, to be freed with fusion_report_free; may be NULL
 * @param error where an error goes, to be freed with fusion_error_free; may be NULL
 * @return FUSION_STATUS_OK, also if the option "keep-going" is set and images failed (the
 *   report's "/status" is then "partial"); else any other status
 * @since 0.1
 */
fusion_status fusion_fuse(const char *const *sources,
                          size_t count,
                          const char *output,
                          const struct fusion_options *options,
                          struct fusion_report **report,
                          struct fusion_error **error);

/**
 * Tells what fusion_fuse would do, and writes nothing.
 *
 * Thread safety: any number of threads may do this at once.
 *
 * @param sources as for fusion_fuse
 * @param count how many sources there are
 * @param output as for fusion_fuse; NULL for a plan without a destination
 * @param options what was chosen; NULL for nothing
 * @param report where the report goes, to be freed with fusion_report_free; may be NULL
 * @param error where an error goes, to be freed with fusion_error_free; may be NULL
 * @return as fusion_fuse
 * @since 0.1
 */
fusion_status fusion_plan(const char *const *sources,
                          size_t count,
                          const char *output,
                          const struct fusion_options *options,
                          struct fusion_report **report,
                          struct fusion_error **error);

/**
 * Fuses the images of all sources, and pushes them to a registry: blobs first, then manifests and
 * indexes, tags last. What a tag has already for other platforms stays, unless the option
 * "on-existing" says otherwise: "merge" (the default), "replace", "skip" or "error".
 *
 * A tag never leads to something incomplete, whenever the run ends. What was sent is found by the
 * next run, which sends what is missing.
 *
 * Thread safety: any number of threads may do this at once, and any number of other programs.
 * Writers that merge into one tag at the same time read it again after they wrote; that they lose
 * nothing of each other's is sure if all of them set the option "claim-tags".
 *
 * @param sources paths, as for fusion_fuse
 * @param count how many sources there are
 * @param to where to: HOST[:PORT][/PREFIX], UTF-8, not NULL; the option "names" says what images
 *   are called below it. Used during the call only
 * @param options what was chosen; NULL for nothing
 * @param report where the report goes, to be freed with fusion_report_free; may be NULL
 * @param error where an error goes, to be freed with fusion_error_free; may be NULL
 * @return FUSION_STATUS_OK, also if the option "keep-going" is set and images failed or
 *   sources are damaged (the report's "/status" is then "partial"); else any other status
 * @since 0.1
 */
fusion_status fusion_push(const char *const *sources,
                          size_t count,
                          const char *to,
                          const struct fusion_options *options,
                          struct fusion_report **report,
                          struct fusion_error **error);

/**
 * Makes one index out of images that are there, in registries and layouts: what `docker manifest
 * create`, `annotate` and `push` do in three steps. What a registry has is not pulled, children
 * are brought into the target's repository.
 *
 * The option "append" keeps what the target leads to already, "remove" takes platforms off it;
 * without them the target is what the sources are.
 *
 * Thread safety: as for fusion_push.
 *
 * @param target the tag to write: HOST/REPOSITORY:TAG, or oci:DIR:REFERENCE for one in a layout;
 *   UTF-8, not NULL. Used during the call only
 * @param sources images or indexes, named like the target, also by digest
 *   (HOST/REPOSITORY@DIGEST); each with =PLATFORM at its end if its configuration says the wrong
 *   one. UTF-8. Used during the call only
 * @param count how many sources there are; 0 only if the option "remove" is set
 * @param options what was chosen; NULL for nothing
 * @param report where the report goes, to be freed with fusion_report_free; may be NULL
 * @param error where an error goes, to be freed with fusion_error_free; may be NULL
 * @return FUSION_STATUS_OK or any other status
 * @since 0.1
 */
fusion_status fusion_index_create(const char *target,
                                  const char *const *sources,
                                  size_t count,
                                  const struct fusion_options *options,
                                  struct fusion_report **report,
                                  struct fusion_error **error);

/**
 * Tells what is inside a source, without unpacking it. Only documents are verified: fusion_verify
 * does the rest. The option "reference" chooses one image.
 *
 * Thread safety: any number of threads may do this at once.
 *
 * @param source a path, as for fusion_fuse; not NULL
 * @param options what was chosen; NULL for nothing
 * @param report where the report goes, to be freed with fusion_report_free; may be NULL
 * @param error where an error goes, to be freed with fusion_error_free; may be NULL
 * @return FUSION_STATUS_OK or any other status
 * @since 0.1
 */
fusion_status fusion_inspect(const char *source,
                             const struct fusion_options *options,
                             struct fusion_report **report,
                             struct fusion_error **error);

/**
 * Checks every digest and diff ID of the sources, and lists every finding.
 *
 * A finding is no failure of the call: whether the sources are sound is the report's "/status",
 * "ok" or "failed".
 *
 * Thread safety: any number of threads may do this at once.
 *
 * @param sources paths, as for fusion_fuse
 * @param count how many sources there are
 * @param options what was chosen; NULL for nothing
 * @param report where the report goes, to be freed with fusion_report_free; may be NULL
 * @param error where an error goes, to be freed with fusion_error_free; may be NULL
 * @return FUSION_STATUS_OK if everything could be checked; else any other status
 * @since 0.1
 */
fusion_status fusion_verify(const char *const *sources,
                            size_t count,
                            const struct fusion_options *options,
                            struct fusion_report **report,
                            struct fusion_error **error);

/**
 * Does what a configuration of charts-syncer asks for: the images of chart bundles go into its
 * registry, as fusion_push puts them there, then the charts, whose values name them where they are
 * now, into its chart repository. A chart appears only after all its images.
 *
 * What the configuration says stands where no option says otherwise. Of its own are "source",
 * bundles and packages in the place of those that the configuration names, "chart",
 * "latest-version-only", "skip-images", "on-existing-chart" and "values".
 *
 * Thread safety: as for fusion_push.
 *
 * @param config the path of the configuration (load-image.yaml), any bytes; not NULL. Used during
 *   the call only
 * @param options what was chosen; NULL for nothing
 * @param report where the report goes, to be freed with fusion_report_free; may be NULL. Charts are
 *   at "/charts/0/action", saved values that were brought along at "/values/0/changes/0/key"
 * @param error where an error goes, to be freed with fusion_error_free; may be NULL
 * @return FUSION_STATUS_OK, also if the option "keep-going" is set and images or charts failed
 *   or sources are damaged (the report's "/status" is then "partial"); else any other status
 * @since 0.1
 */
fusion_status fusion_sync(const char *config,
                          const struct fusion_options *options,
                          struct fusion_report **report,
                          struct fusion_error **error);

/**
 * Imports addon packages into the registry and the chart repository that the installer's
 * configuration names, as fusion_sync does. What images are called there is found out by looking,
 * unless the option "names" says so.
 *
 * Thread safety: as for fusion_push.
 *
 * @param config the path of the configuration (clusterConfig.yaml), any bytes; not NULL. Used
 *   during the call only
 * @param sources packages, named as for fusion_fuse; may be NULL if there are none. Used during
 *   the call only
 * @param count how many packages there are; 0 for the one that the configuration names
 * @param options what was chosen; NULL for nothing. "source" is for fusion_sync
 * @param report where the report goes, to be freed with fusion_report_free; may be NULL
 * @param error where an error goes, to be freed with fusion_error_free; may be NULL
 * @return as fusion_sync
 * @since 0.1
 */
fusion_status fusion_import_addon(const char *config,
                                  const char *const *sources,
                                  size_t count,
                                  const struct fusion_options *options,
                                  struct fusion_report **report,
                                  struct fusion_error **error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* FUSION_H */
