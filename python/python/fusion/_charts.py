"""The verbs over charts, which a configuration tells what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from . import _fusion, _options
from ._options import PathMap, SavedValues, StrPath
from ._results import Report
from ._verbs import (
    Durability,
    MediaTypes,
    Names,
    OnChart,
    OnConflict,
    OnExisting,
    OnFileConflict,
    OnProgress,
    Stop,
    Verify,
    Visibility,
)


def sync(
    config: StrPath,
    *,
    sources: StrPath | Iterable[StrPath] | None = None,
    charts: str | Iterable[str] | None = None,
    latest_version_only: bool = False,
    skip_images: bool = False,
    on_existing_chart: OnChart = "keep",
    values: SavedValues | None = None,
    names: Names | None = None,
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
    """Does what charts-syncer's configuration ``config`` (``load-image.yaml``) asks for.

    The images of chart bundles go into its registry, as `push` puts them there, with all their
    architectures; then the charts, whose values name the images where they are now, go into its
    chart repository. A chart appears only after all its images.

    What the configuration says stands where no argument says otherwise. What is not listed here is
    as in `push`.

    Args:
        config: The path of the configuration.
        sources: Bundles, packages and folders of them, in the place of those that the configuration
            names.
        charts: Only charts whose name, or ``NAME@VERSION``, matches one of these globs.
        latest_version_only: Of each chart only the latest version.
        skip_images: Leave the images alone: charts only.
        on_existing_chart: What to do with a version of a chart that the repository has and that is
            another: ``keep`` leaves it, with a warning ``chart-differs``, but brings digests that
            its values pin up to date; ``replace`` puts ours in its place; ``error`` fails.
        values: A saved ``helm get values`` in which images are to be named where they are now; the
            file is written anew. With several charts, a mapping from their names to files.
        names: What images are called, as in `push`, instead of what the configuration says.
        username, password: As in `push`, instead of those in the configuration, for the registry.
        on_existing: As in `push`: about tags of images, not about charts.
        keep_going: Publish the charts whose images are all there; what failed is in the report, what
            is damaged of the sources in `Report.damaged`, and nothing is raised for it.
        dry_run: Say what would be sent and published, and write nothing.
        progress: As in `fuse`.
        stop: As in `fuse`.

    Returns:
        What was done: `Chart.action` and `Chart.location` say what became of a chart,
        `Chart.error` why it failed, `Report.values` what changed in saved values.

    Raises:
        RegistryError: The registry or the chart repository refused something, or cannot be reached.
        FusionError: As `fuse` does; of a configuration that makes no sense with its line and
            setting.
    """
    arguments = dict(locals())
    _options.callbacks(progress, stop)
    file = _options.path("config", config)
    choices = _options.choices(arguments, bundles=sources)
    return Report._from_json(_fusion.sync(file, choices, progress, stop))


def import_addon(
    config: StrPath,
    addon_paths: StrPath | Iterable[StrPath] | None = None,
    *,
    charts: str | Iterable[str] | None = None,
    latest_version_only: bool = False,
    skip_images: bool = False,
    on_existing_chart: OnChart = "keep",
    values: SavedValues | None = None,
    names: Names | None = None,
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
    """Imports addon packages to where the installer's configuration ``config`` says.

    It does what `sync` does, with the registry and the chart repository of
    ``clusterConfig.yaml``. What is not listed here is as in `sync`.

    Args:
        config: The path of the configuration.
        addon_paths: Packages, of one architecture or several, in the place of the one that the
            configuration names.
        names: What images are called, as in `push`. By default that is found out by looking which
            of them the registry has.

    Returns:
        As `sync`.

    Raises:
        RegistryError: The registry or the chart repository refused something, or cannot be reached.
        FusionError: As `sync` does.
    """
    arguments = dict(locals())
    _options.callbacks(progress, stop)
    file = _options.path("config", config)
    packages = [] if addon_paths is None else _options.paths("addon_paths", addon_paths)
    choices = _options.choices(arguments)
    return Report._from_json(_fusion.import_addon(file, packages, choices, progress, stop))
