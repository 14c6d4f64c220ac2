"""The verbs that write to registries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from . import _fusion, _options
from ._options import PathMap, StrPath
from ._results import Report
from ._verbs import (
    Durability,
    MediaTypes,
    Names,
    OnConflict,
    OnExisting,
    OnFileConflict,
    OnProgress,
    Stop,
    Verify,
    Visibility,
)


def push(
    sources: StrPath | Iterable[StrPath],
    to: str,
    *,
    names: Names = "path",
    username: str | None = None,
    password: str | None = None,
    tls_ca: StrPath | None = None,
    insecure: bool = False,
    plain_http: bool = False,
    create_projects: Visibility | bool | None = None,
    on_existing: OnExisting = "merge",
    retries: int = 3,
    claim_tags: bool = False,
    clean_claims: bool = False,
    platforms: str | Iterable[str] | None = None,
    require_platforms: str | Iterable[str] | None = None,
    images: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    on_conflict: OnConflict = "error",
    on_file_conflict: OnFileConflict = "beside",
    source_platforms: PathMap | None = None,
    name: str | None = None,
    strip_arch_suffix: bool = False,
    rename: Mapping[str, str] | None = None,
    compression: str = "keep",
    media_types: MediaTypes = "keep",
    docker_platform: str | None = None,
    verify: Verify = "blobs",
    annotations: Mapping[str, str] | None = None,
    durability: Durability = "full",
    work_dir: StrPath | None = None,
    jobs: int | None = None,
    dry_run: bool = False,
    keep_going: bool = False,
    clean: bool = False,
    progress: OnProgress | None = None,
    stop: Stop | None = None,
) -> Report:
    """Fuses the images of all ``sources``, and pushes them to the registry ``to``.

    Blobs go first, then manifests and indexes, tags last: a tag never leads to something
    incomplete, whenever the run ends. Each distinct blob is sent once, and not at all if the
    registry has it; what a run that ended early has sent is found by the next.

    What is not listed here is as in `fuse`. ``docker_platform``, ``durability`` and
    ``on_file_conflict`` concern files only, and change nothing here.

    Args:
        sources: As in `fuse`.
        to: ``HOST[:PORT][/PREFIX]``: ``harbor.local/addons``.
        names: What images are called: ``path``, the prefix and the repository's path without its
            registry; ``last``, the prefix and its last component; ``origin``, the prefix, the
            registry and the path. Two images on one name are a `ConflictError` before anything is
            sent. ``rename`` comes first.
        username: The user; by default what docker, podman and their credential helpers have stored.
        password: The user's password. Nothing shows it.
        tls_ca: A file of certificates to trust besides the system's, of authorities or of servers.
        insecure: Check no certificates, and take plain HTTP too.
        plain_http: Plain HTTP only.
        create_projects: Create Harbor projects that are missing, ``public`` (or ``True``) or
            ``private``. By default they are listed, all at once, in an error.
        on_existing: What to do with a tag that exists: ``merge`` keeps its other platforms,
            ``replace`` does not, ``skip`` leaves it alone, ``error`` fails.
        retries: How often to repeat a request that failed for a reason that may pass.
        claim_tags: Claim platforms beside each tag: then writers that all do so lose nothing of each
            other's, however many push to one tag at once.
        clean_claims: Remove the claims on the tags of this run.
        dry_run: Say what would be sent, mounted and left, and write nothing.
        progress: As in `fuse`.
        stop: As in `fuse`.

    Returns:
        What was done: `Image.target` is the name in the registry, `Image.previous_digest` what the
        tag led to before, `Bytes.uploaded` what was sent.

    Raises:
        RegistryError: The registry refused something, or cannot be reached.
        FusionError: As `fuse` does.
    """
    arguments = dict(locals())
    _options.callbacks(progress, stop)
    encoded = _options.paths("sources", sources)
    target = _options.text("to", to)
    choices = _options.choices(arguments)
    return Report._from_json(_fusion.push(encoded, target, choices, progress, stop))


def index_create(
    target: StrPath,
    sources: StrPath | Iterable[StrPath] = (),
    *,
    append: bool = False,
    remove: str | Iterable[str] | None = None,
    annotations: Mapping[str, str] | None = None,
    media_types: MediaTypes = "keep",
    on_conflict: OnConflict = "error",
    username: str | None = None,
    password: str | None = None,
    tls_ca: StrPath | None = None,
    insecure: bool = False,
    plain_http: bool = False,
    create_projects: Visibility | bool | None = None,
    retries: int = 3,
    claim_tags: bool = False,
    clean_claims: bool = False,
    jobs: int | None = None,
    dry_run: bool = False,
    progress: OnProgress | None = None,
    stop: Stop | None = None,
) -> Report:
    """Makes ``target`` one index over images that are there, in registries and layouts.

    It does what ``docker manifest create``, ``annotate`` and ``push`` do in three steps. Nothing is
    pulled that the registry can mount.

    Args:
        target: The tag to write: ``HOST/REPOSITORY:TAG``, or ``oci:DIR:REFERENCE`` in a layout.
        sources: Images or indexes, named like ``target``, also by digest
            (``HOST/REPOSITORY@DIGEST``); with ``=PLATFORM`` at the end where the configuration says
            the wrong one: ``harbor.local/t/app-b:1.5=linux/arm64/v8``.
        append: Keep what ``target`` leads to already; platforms of ``sources`` replace its own.
        remove: Keep what ``target`` leads to, without these platforms. ``sources`` may then be left
            out.
        annotations: Annotations of the index.
        media_types: As in `fuse`.
        on_conflict: What to do if two sources have the same platform.
        username, password, tls_ca, insecure, plain_http, create_projects, retries: As in `push`.
        claim_tags, clean_claims: As in `push`. ``remove`` removes the claims on its platforms too.
        jobs: How many threads work; by default one a core.
        dry_run: Say what would be done, and write nothing.
        progress: As in `fuse`.
        stop: As in `fuse`.

    Returns:
        What was done, with one image.

    Raises:
        RegistryError: A registry refused something, or cannot be reached.
        FusionError: As `fuse` does.
    """
    arguments = dict(locals())
    _options.callbacks(progress, stop)
    named = _options.path("target", target).decode()
    listed = _options.names("sources", sources)
    choices = _options.choices(arguments)
    return Report._from_json(_fusion.index_create(named, listed, choices, progress, stop))
