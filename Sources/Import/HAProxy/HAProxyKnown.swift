/// Lines of HAProxy that need no translation.
enum HAProxyKnown {
    /// Why a line may be left out without loss, by its first word or two; nil if that is not so.
    static func defaultReason(_ line: HAProxyLine) -> String? {
        let first = line.keyword == "no" ? line[1] : line.keyword
        let second = line.keyword == "no" ? line[2] : line[1]
        return reasons["\(first) \(second)"] ?? reasons[first]
    }

    /// Why a line cannot be carried over.
    static func lossReason(_ line: HAProxyLine) -> String {
        losses["\(line.keyword) \(line[1])"] ?? losses[line.keyword] ?? "Berth has nothing for this line"
    }

    private static let process = "the process of HAProxy"
    private static let tls = "forward secrecy and AEAD ciphers, TLS 1.2 and 1.3"

    private static let groups: [(names: [String], reason: String)] = [
        (
            [
                "chroot", "user", "group", "uid", "gid", "daemon", "pidfile", "nbproc", "nbthread", "cpu-map", "node",
                "description", "master-worker", "external-check", "ulimit-n", "set-dumpable", "hard-stop-after",
                "lua-load",
                "localpeer", "numa-cpu-mapping", "thread-groups", "setenv", "presetenv", "unsetenv", "default-path",
                "expose-experimental-directives", "insecure-fork-wanted", "stats socket", "stats timeout",
                "spread-checks",
                "server-state-file", "server-state-base", "load-server-state-from-file", "unix-bind", "zero-warning",
                "h1-case-adjust", "h1-case-adjust-file", "busy-polling", "noepoll", "nopoll", "grace", "id", "disabled",
            ], process
        ),
        (
            ["stats", "http-request use-service", "option socket-stats"],
            "the admin address has /metrics, /stats and a dashboard"
        ),
        (
            [
                "ssl-default-bind-ciphers", "ssl-default-bind-ciphersuites", "ssl-default-server-ciphers",
                "ssl-default-server-ciphersuites", "ssl-default-bind-options", "ssl-default-server-options",
                "ssl-dh-param-file",
                "ssl-default-bind-curves", "tune.ssl.default-dh-param", "ca-base", "crt-base", "ssl-server-verify",
            ], tls
        ),
        (
            [
                "log", "log-format", "log-tag", "option dontlognull", "option log-separate-errors",
                "option dontlog-normal", "log-send-hostname", "unique-id-format", "unique-id-header", "capture",
            ], "lines of calls are JSON or text: Logs.md"
        ),
        (
            [
                "option http-server-close", "option httpclose", "option http-keep-alive", "option forceclose",
                "http-reuse", "option prefer-last-server", "option http-pretend-keepalive",
                "option idle-close-on-response",
            ], "connections to servers are kept"
        ),
        (
            ["option forwardfor", "option forwarded", "option originalto"],
            "servers get x-forwarded-for, -proto, -host and x-real-ip"
        ),
        (
            [
                "option http-no-delay", "option splice-auto", "option splice-response", "option splice-request",
                "option tcp-smart-accept", "option tcp-smart-connect", "option http-buffer-request", "option nolinger",
                "backlog",
            ], "events are forwarded at once"
        ),
        (
            [
                "option clitcpka", "option srvtcpka", "option tcpka", "clitcpka-idle", "srvtcpka-idle",
                "clitcpka-intvl", "srvtcpka-intvl",
            ], "vanished peers are noticed within a minute"
        ),
        (
            [
                "option redispatch", "retries", "option persist", "option abortonclose", "option checkcache",
                "option allbackups", "fullconn",
            ], "what a server has not executed is sent to another"
        ),
        (
            [
                "timeout client", "timeout client-fin", "timeout server-fin", "timeout tunnel", "timeout tarpit",
                "timeout client-hs",
            ], "streams have no timeout"
        ),
        (
            ["errorfile", "errorfiles", "errorloc", "errorloc302", "errorloc303", "http-error"],
            "Berth's own errors are JSON-RPC, for MCP clients to read"
        ),
        (
            [
                "option log-health-checks", "option tcp-check", "hash-type", "hash-balance-factor", "email-alert",
                "option contstats", "option accept-invalid-http-request", "option accept-invalid-http-response",
                "option http-use-htx", "option h1-case-adjust-bogus-client", "option h1-case-adjust-bogus-server",
                "option tcplog", "option transparent", "http-check connect", "http-check disable-on-404",
                "option external-check",
            ], "not in use"
        ),
        (
            [
                "peer", "nameserver", "resolve_retries", "timeout resolve", "timeout retry", "hold",
                "accepted_payload_size", "parse-resolv-conf", "table",
            ], "names are resolved again while running"
        ),
        (["server-state", "rate-limit-none", "use_server-none"], process),
        (["stick-table"], "ids are signed: there is no table"),
        (["mode http"], "HTTP is what is spoken"),
    ]

    private static let reasons: [String: String] = {
        var all: [String: String] = [:]
        for group in groups { for name in group.names { all[name] = group.reason } }
        return all
    }()

    /// What becomes of limits of rates.
    static let rates = "limits are written by hand: rate_limit of the route, by address, session, caller or tool"

    private static let losses: [String: String] = [
        "rate-limit": HAProxyKnown.rates,
        "http-request track-sc0": HAProxyKnown.rates, "http-request track-sc1": HAProxyKnown.rates,
        "http-request track-sc2": HAProxyKnown.rates, "http-request track-sc": HAProxyKnown.rates,
        "tcp-request connection": "connections are taken as they come",
        "tcp-request content": "connections are taken as they come",
        "http-request set-var": "there are no variables", "http-request lua": "there are no scripts in a configuration",
        "filter": "bodies are not filtered", "compression": "answers are passed on as servers code them",
        "http-request cache-use": "see [upstream.x.cache]", "http-response cache-store": "see [upstream.x.cache]",
        "use-server": "which server a session has is not chosen by conditions",
        "option httpchk": "this check cannot be made",
        "tcp-check": "checks connect, ask for a page or speak MCP",
        "bind": "a listener has a port, and perhaps an IP address of this machine",
    ]
}
