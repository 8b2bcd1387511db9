/// Every metric that there is. What does not stand here is not written.
package enum MetricCatalog {
    /// In the order of the page.
    package static let all: [MetricDefinition] =
        calls + process + configuration + clients + rateLimits + upstreams + cache + redis + discovery + servers

    private static let server = ["upstream", "server"]

    // MARK: - Calls

    /// Names are of the OpenTelemetry conventions for MCP.
    private static let calls: [MetricDefinition] = [operation, leg, session, phase]

    /// `mcp_server_operation_duration_seconds`.
    package static let operation = MetricDefinition(
        .histogram, "mcp_server_operation_duration_seconds", .seconds,
        labels: [
            "upstream", "mcp_method_name", "gen_ai_tool_name", "gen_ai_prompt_name", "error_type",
            "mcp_protocol_version",
        ],
        "Calls, from the last byte of the request's head to the last byte of the response, as the client sees it")
    /// `mcp_client_operation_duration_seconds`.
    package static let leg = MetricDefinition(
        .histogram, "mcp_client_operation_duration_seconds", .seconds,
        labels: [
            "upstream", "server_address", "mcp_method_name", "gen_ai_tool_name", "gen_ai_prompt_name", "error_type",
            "mcp_protocol_version",
        ],
        "Calls, from when they had a connection to their server to the last byte of the response")
    /// `mcp_server_session_duration_seconds`.
    package static let session = MetricDefinition(
        .histogram, "mcp_server_session_duration_seconds", .seconds,
        labels: ["upstream", "error_type", "mcp_protocol_version"], "Sessions, from their beginning to their end")
    /// `berth_call_phase_seconds`.
    package static let phase = MetricDefinition(
        .histogram, "berth_call_phase_seconds", .seconds, labels: ["upstream", "phase"],
        "What calls waited for: queue (a connection in the queue), connect (a connection outside it), first_byte (the response)"
    )

    // MARK: - The process

    private static let process: [MetricDefinition] = [
        up, build, startTime, cpu, memory, memoryLimit, openFiles, maximumFiles, workers, draining, loopLag, logLines,
        logDrops, callsUnrecorded,
    ]

    /// `berth_up`.
    package static let up = MetricDefinition(.gauge, "berth_up", "1 while the process serves")
    /// `berth_build`.
    package static let build = MetricDefinition(.info, "berth_build", labels: ["version"], "The version of Berth")
    /// `process_start_time_seconds`.
    package static let startTime = MetricDefinition(
        .gauge, "process_start_time_seconds", .seconds, "When the process began, in seconds since 1970")
    /// `process_cpu_seconds`.
    package static let cpu = MetricDefinition(
        .counter, "process_cpu_seconds", .seconds, "Processor time of the process, its own and the kernel's for it")
    /// `process_resident_memory_bytes`.
    package static let memory = MetricDefinition(
        .gauge, "process_resident_memory_bytes", .bytes, "Memory of the process that is in use")
    /// `berth_memory_limit_bytes`.
    package static let memoryLimit = MetricDefinition(
        .gauge, "berth_memory_limit_bytes", .bytes,
        "Memory that the process may use: its control group's limit, or the machine's")
    /// `process_open_fds`.
    package static let openFiles = MetricDefinition(.gauge, "process_open_fds", "Open descriptors")
    /// `process_max_fds`.
    package static let maximumFiles = MetricDefinition(.gauge, "process_max_fds", "Descriptors that may be open")
    /// `berth_workers`.
    package static let workers = MetricDefinition(.gauge, "berth_workers", "Threads that carry traffic")
    /// `berth_draining`.
    package static let draining = MetricDefinition(
        .gauge, "berth_draining", "1 if the process finishes what it has and takes no more")
    /// `berth_event_loop_lag_seconds`.
    package static let loopLag = MetricDefinition(
        .gauge, "berth_event_loop_lag_seconds", .seconds, labels: ["worker"],
        "How long a worker took to look at the last message that asked for it; every scrape asks anew")
    /// `berth_log_lines`.
    package static let logLines = MetricDefinition(
        .counter, "berth_log_lines", labels: ["log"], "Lines that were written to a log: access, slow, audit")
    /// `berth_log_dropped_lines`.
    package static let logDrops = MetricDefinition(
        .counter, "berth_log_dropped_lines", labels: ["log"],
        "Lines of a log that were lost: its reader was behind, or the disk was full")
    /// `berth_calls_unrecorded`.
    package static let callsUnrecorded = MetricDefinition(
        .counter, "berth_calls_unrecorded",
        "Calls that are in no log, no trace and no list of the dashboard: they came faster than they were taken up")

    // MARK: - Configuration

    private static let configuration: [MetricDefinition] = [
        configurationInForce, configurationLoaded, reloadSucceeded, reloads, upgradeFailures,
    ]

    /// `berth_configuration`.
    package static let configurationInForce = MetricDefinition(
        .info, "berth_configuration", labels: ["hash"], "The configuration in force")
    /// `berth_configuration_loaded_timestamp_seconds`.
    package static let configurationLoaded = MetricDefinition(
        .gauge, "berth_configuration_loaded_timestamp_seconds", .seconds,
        "When the configuration came into force, in seconds since 1970")
    /// `berth_configuration_last_reload_successful`.
    package static let reloadSucceeded = MetricDefinition(
        .gauge, "berth_configuration_last_reload_successful", "0 if the last reload was rejected")
    /// `berth_reloads`.
    package static let reloads = MetricDefinition(
        .counter, "berth_reloads", labels: ["result"], "Reloads by what they came to: applied, unchanged, rejected")
    /// `berth_upgrade_failures`.
    package static let upgradeFailures = MetricDefinition(
        .counter, "berth_upgrade_failures", "Upgrades whose new process did not become ready")

    // MARK: - Clients

    private static let clients: [MetricDefinition] = [
        connections, connectionLimit, accepted, connectionRefusals, handshakes, handshakeFailures, certificateExpiry,
        certificateRenewals,
        exchangesStarted, exchanges, requestBytes, responseBytes, rejected, clientAbuse, proxyRefusals,
    ]

    /// `berth_client_connections`.
    package static let connections = MetricDefinition(
        .gauge, "berth_client_connections", labels: ["listener"], "Open connections of clients")
    /// `berth_client_connections_limit`.
    package static let connectionLimit = MetricDefinition(
        .gauge, "berth_client_connections_limit", labels: ["listener"], "Connections of clients that may be open")
    /// `berth_client_connections_accepted`.
    package static let accepted = MetricDefinition(
        .counter, "berth_client_connections_accepted", "Connections of clients that were accepted")
    /// `berth_client_connections_refused`.
    package static let connectionRefusals = MetricDefinition(
        .counter, "berth_client_connections_refused", labels: ["reason"],
        "Connections of clients that were closed at once: max_connections, max_connections_per_address, connection_opens, memory"
    )
    /// `berth_tls_handshakes`.
    package static let handshakes = MetricDefinition(
        .counter, "berth_tls_handshakes", "TLS handshakes with clients that were completed")
    /// `berth_tls_handshake_failures`.
    package static let handshakeFailures = MetricDefinition(
        .counter, "berth_tls_handshake_failures",
        "Connections of clients that ended before their TLS handshake was complete")
    /// `berth_certificate_expiry_timestamp_seconds`.
    package static let certificateExpiry = MetricDefinition(
        .gauge, "berth_certificate_expiry_timestamp_seconds", .seconds, labels: ["listener", "subject"],
        "Until when a certificate that clients see is valid, in seconds since 1970")
    /// `berth_certificate_renewals`.
    package static let certificateRenewals = MetricDefinition(
        .counter, "berth_certificate_renewals", labels: ["result"],
        "New versions of certificate files: renewed (in use), refused (cannot be used, the old one stays)")
    /// `berth_exchanges_started`.
    package static let exchangesStarted = MetricDefinition(
        .counter, "berth_exchanges_started", "Requests of any kind whose head was complete")
    /// `berth_exchanges`.
    package static let exchanges = MetricDefinition(
        .counter, "berth_exchanges", labels: ["outcome"], "Requests of any kind by how they ended")
    /// `berth_request_body_bytes`.
    package static let requestBytes = MetricDefinition(
        .counter, "berth_request_body_bytes", .bytes, "Bodies that were received from clients")
    /// `berth_response_body_bytes`.
    package static let responseBytes = MetricDefinition(
        .counter, "berth_response_body_bytes", .bytes, "Bodies that were sent to clients")
    /// `berth_rejected`.
    package static let rejected = MetricDefinition(
        .counter, "berth_rejected", labels: ["reason"], "Answers of Berth's own, by the reason that they name")
    /// `berth_client_abuse`.
    package static let clientAbuse = MetricDefinition(
        .counter, "berth_client_abuse", labels: ["kind"],
        "Excesses and mistakes of clients, most of which closed a connection")
    /// `berth_proxy_protocol_refusals`.
    package static let proxyRefusals = MetricDefinition(
        .counter, "berth_proxy_protocol_refusals", labels: ["reason"],
        "Connections that the PROXY protocol did not let in")

    // MARK: - Upstreams

    private static let upstreams: [MetricDefinition] = [
        upstreamServers, upstreamAvailable, upstreamWaiting, catalogSkew,
    ]

    /// `berth_upstream_servers`.
    package static let upstreamServers = MetricDefinition(
        .gauge, "berth_upstream_servers", labels: ["upstream"],
        "Servers that stand in the configuration or were found")
    /// `berth_upstream_servers_available`.
    package static let upstreamAvailable = MetricDefinition(
        .gauge, "berth_upstream_servers_available", labels: ["upstream"],
        "Servers that are healthy and take new sessions")
    /// `berth_upstream_queue_waiting`.
    package static let upstreamWaiting = MetricDefinition(
        .gauge, "berth_upstream_queue_waiting", labels: ["upstream"], "Calls that wait for a connection")
    /// `berth_upstream_catalog_skew`.
    package static let catalogSkew = MetricDefinition(
        .gauge, "berth_upstream_catalog_skew", labels: ["upstream"],
        "1 if healthy servers list different tools, as far as their checks know")

    // MARK: - Servers

    private static let servers: [MetricDefinition] = [
        serverUp, serverHealthy, serverEjected, serverDraining, serverCheckedAt, ejections, sessions, sessionLimit,
        sessionsOpened, sessionsEnded, recoveries, streams, streamLimit, poolConnections, poolLimit, poolWaiting,
        poolOpened,
        connectFailures, requests, serverErrors, serverErrorsInBand, replays, retries, toolListBytes,
    ]

    /// `berth_server_up`.
    package static let serverUp = MetricDefinition(
        .gauge, "berth_server_up", labels: server, "1 if the server gets calls: it is healthy and not ejected")
    /// `berth_server_healthy`.
    package static let serverHealthy = MetricDefinition(
        .gauge, "berth_server_healthy", labels: server, "1 if the server's checks pass")
    /// `berth_server_ejected`.
    package static let serverEjected = MetricDefinition(
        .gauge, "berth_server_ejected", labels: server, "1 if outlier detection keeps new work from the server")
    /// `berth_server_draining`.
    package static let serverDraining = MetricDefinition(
        .gauge, "berth_server_draining", labels: server, "1 if the server keeps its sessions and gets no new ones")
    /// `berth_server_last_check_timestamp_seconds`.
    package static let serverCheckedAt = MetricDefinition(
        .gauge, "berth_server_last_check_timestamp_seconds", .seconds, labels: server,
        "When the last health check of the server ended, in seconds since 1970")
    /// `berth_server_ejections`.
    package static let ejections = MetricDefinition(
        .counter, "berth_server_ejections", labels: server, "Ejections by outlier detection")
    /// `berth_sessions`.
    package static let sessions = MetricDefinition(
        .gauge, "berth_sessions", labels: server, "Sessions that the server is believed to hold")
    /// `berth_sessions_limit`.
    package static let sessionLimit = MetricDefinition(
        .gauge, "berth_sessions_limit", labels: server, "Sessions that the server may hold, where that is limited")
    /// `berth_sessions_opened`.
    package static let sessionsOpened = MetricDefinition(
        .counter, "berth_sessions_opened", labels: server, "Sessions that were begun")
    /// `berth_sessions_ended`.
    package static let sessionsEnded = MetricDefinition(
        .counter, "berth_sessions_ended", labels: server, "Sessions that their clients ended")
    /// `berth_session_recoveries`.
    package static let recoveries = MetricDefinition(
        .counter, "berth_session_recoveries", labels: ["result"],
        "Sessions whose server was lost, by what became of them: recovered, or why not")
    /// `berth_streams`.
    package static let streams = MetricDefinition(.gauge, "berth_streams", labels: server, "Open event streams")
    /// `berth_streams_limit`.
    package static let streamLimit = MetricDefinition(
        .gauge, "berth_streams_limit", labels: server, "Event streams that may be open")
    /// `berth_pool_connections`.
    package static let poolConnections = MetricDefinition(
        .gauge, "berth_pool_connections", labels: server + ["state"],
        "Connections to the server: idle, active, streaming")
    /// `berth_pool_connections_limit`.
    package static let poolLimit = MetricDefinition(
        .gauge, "berth_pool_connections_limit", labels: server,
        "Connections that may be idle or active at a time; those of event streams are not among them")
    /// `berth_pool_waiting`.
    package static let poolWaiting = MetricDefinition(
        .gauge, "berth_pool_waiting", labels: server,
        "Calls that wait for a connection, by the server they were meant for first")
    /// `berth_pool_connections_opened`.
    package static let poolOpened = MetricDefinition(
        .counter, "berth_pool_connections_opened", labels: server, "Connections that were established")
    /// `berth_pool_connect_failures`.
    package static let connectFailures = MetricDefinition(
        .counter, "berth_pool_connect_failures", labels: server, "Connections that could not be established")
    /// `berth_server_requests`.
    package static let requests = MetricDefinition(
        .counter, "berth_server_requests", labels: server, "Requests that were sent to the server")
    /// `berth_server_errors`.
    package static let serverErrors = MetricDefinition(
        .counter, "berth_server_errors", labels: server + ["kind"],
        "Answers of Berth's own in place of a server that had been chosen: session_not_found, bad_gateway, unavailable, timed_out"
    )
    /// `berth_server_errors_in_band`.
    package static let serverErrorsInBand = MetricDefinition(
        .counter, "berth_server_errors_in_band", labels: server,
        "Those of them that were sent with status 200 (legacy_errors)")
    /// `berth_replays`.
    package static let replays = MetricDefinition(
        .counter, "berth_replays", labels: server, "Requests that were sent again because their connection was lost")
    /// `berth_retries`.
    package static let retries = MetricDefinition(
        .counter, "berth_retries", labels: server + ["result"],
        "Requests that were to be sent again after a failure: granted, or refused by the budget")
    /// `berth_server_tools_list_bytes`.
    package static let toolListBytes = MetricDefinition(
        .gauge, "berth_server_tools_list_bytes", .bytes, labels: server,
        "The last tools/list response of the server: what its tools take of a model's context")
}
