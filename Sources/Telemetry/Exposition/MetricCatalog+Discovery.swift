extension MetricCatalog {
    /// What finds servers. Only upstreams with `discover` have these.
    static let discovery: [MetricDefinition] = [
        discoveredServers, discoveryAnsweredAt, discoveryFailing, discoveryFailures, discoveryChanges, discoveryWaiting,
        discoveryFlaps, discoveryOmitted,
    ]

    private static let upstream = ["upstream"]

    /// `berth_discovery_servers`.
    package static let discoveredServers = MetricDefinition(
        .gauge, "berth_discovery_servers", labels: upstream, "Servers that discovery has found and that are in use")
    /// `berth_discovery_last_success_timestamp_seconds`.
    package static let discoveryAnsweredAt = MetricDefinition(
        .gauge, "berth_discovery_last_success_timestamp_seconds", .seconds, labels: upstream,
        "When the source last named servers, in seconds since 1970")
    /// `berth_discovery_failing`.
    package static let discoveryFailing = MetricDefinition(
        .gauge, "berth_discovery_failing", labels: upstream,
        "1 if the source has not answered as it should: the servers that were found before stay")
    /// `berth_discovery_failures`.
    package static let discoveryFailures = MetricDefinition(
        .counter, "berth_discovery_failures", labels: upstream + ["reason"],
        "Questions that brought no servers: not_found, empty, timeout, unreachable, refused, truncated, malformed, unreadable"
    )
    /// `berth_discovery_changes`.
    package static let discoveryChanges = MetricDefinition(
        .counter, "berth_discovery_changes", labels: upstream + ["kind"], "Servers that appeared, and that vanished")
    /// `berth_discovery_changes_waiting`.
    package static let discoveryWaiting = MetricDefinition(
        .gauge, "berth_discovery_changes_waiting", labels: upstream,
        "Changes that wait because there were too many at a time")
    /// `berth_discovery_flaps`.
    package static let discoveryFlaps = MetricDefinition(
        .counter, "berth_discovery_flaps", labels: upstream,
        "Servers that came back within five minutes after they had vanished")
    /// `berth_discovery_servers_omitted`.
    package static let discoveryOmitted = MetricDefinition(
        .gauge, "berth_discovery_servers_omitted", labels: upstream,
        "Servers of the last answer that are not used because there are too many")
}
