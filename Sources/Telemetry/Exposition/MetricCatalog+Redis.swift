extension MetricCatalog {
    /// What Berths share through Redis or Valkey. Only stores that the configuration names have these.
    static let redis: [MetricDefinition] = [
        redisConnections, redisConnectionsOpened, redisConnectionFailures, redisCommands, redisReply, redisBreakersOpen,
        redisBreakerOpenings,
    ]

    private static let store = ["store"]

    /// `berth_redis_connections`.
    package static let redisConnections = MetricDefinition(
        .gauge, "berth_redis_connections", labels: store,
        "Connections to a store that serve, at most one for each worker")
    /// `berth_redis_connections_opened`.
    package static let redisConnectionsOpened = MetricDefinition(
        .counter, "berth_redis_connections_opened", labels: store, "Connections that have served")
    /// `berth_redis_connection_failures`.
    package static let redisConnectionFailures = MetricDefinition(
        .counter, "berth_redis_connection_failures", labels: store + ["reason"],
        "Connections that failed: unreachable, lost, timed_out, malformed, denied, failover")
    /// `berth_redis_commands`.
    package static let redisCommands = MetricDefinition(
        .counter, "berth_redis_commands", labels: store + ["use", "result"],
        "Commands, by what for (look_up, share, refresh, forget, find_answer, keep_answer, outdate_answers, keep_record, find_record, count_rate, probe) and what came of them: done, missing, refused, failed, "
            + "skipped (the breaker is open), late (nobody waited any longer)")
    /// `berth_redis_reply_seconds`.
    package static let redisReply = MetricDefinition(
        .histogram, "berth_redis_reply_seconds", .seconds, labels: store, "Times from a command to its reply")
    /// `berth_redis_breakers_open`.
    package static let redisBreakersOpen = MetricDefinition(
        .gauge, "berth_redis_breakers_open", labels: store, "Workers that do without the store for now")
    /// `berth_redis_breaker_openings`.
    package static let redisBreakerOpenings = MetricDefinition(
        .counter, "berth_redis_breaker_openings", labels: store, "Times that a worker has begun to do without it")
}
