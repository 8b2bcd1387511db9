/// Names that other programs, and earlier versions, use for Berth's keys.
enum KeyAliases {
    private static let names: [String: String] = [
        "backend": "upstream", "backends": "upstream", "cluster": "upstream", "proxy_pass": "upstream",
        "location": "path", "prefix": "path", "server_name": "host", "hostname": "host", "domain": "host",
        "server": "servers", "targets": "servers", "endpoints": "servers", "nodes": "servers", "replicas": "servers",
        "url": "address", "addr": "address", "down": "drain", "disabled": "drain",
        "certificate": "cert", "ssl_certificate": "cert", "tls_cert": "cert", "crt": "cert",
        "ssl_stapling_file": "ocsp", "stapling": "ocsp", "ocsp_response": "ocsp", "staple": "ocsp",
        "private_key": "key", "ssl_certificate_key": "key", "tls_key": "key",
        "bind": "http", "address": "https", "port": "https", "maxconn": "max_connections",
        "max_body": "request_body", "client_max_body_size": "request_body", "body": "request_body",
        "max_headers": "headers", "threads": "workers", "worker_processes": "workers", "nbthread": "workers",
        "algorithm": "balance", "policy": "balance", "strategy": "balance", "lb_policy": "balance",
        "interval": "min_ttl", "ttl": "max_ttl", "refresh": "max_ttl", "refresh_interval": "max_ttl",
        "resolver": "nameserver", "resolvers": "nameserver", "path": "file", "file_sd": "file", "name": "dns",
        "discovery": "discover", "service_discovery": "discover", "resolve": "discover",
        "sticky": "session", "identity": "affinity", "every": "interval", "affinity": "session",
        "healthcheck": "health_check", "health": "health_check",
        "healthy_threshold": "rise", "unhealthy_threshold": "fall", "retries": "fall",
        "max_requests": "max_calls", "max_pending_requests": "max_pending", "max_sessions": "max_per_server",
        "uri": "path", "keepalive": "min", "keepalive_timeout": "idle_timeout", "max_idle": "min",
        "read_timeout": "first_byte", "proxy_read_timeout": "first_byte", "keep_alive": "heartbeat",
        "limit_req": "rate_limit", "rate_limits": "rate_limit", "ratelimit": "rate_limit", "throttle": "rate_limit",
        "limit_conn": "concurrency", "max_concurrent": "concurrency", "limit": "rate", "by": "key",
        "proxy_next_upstream": "retry", "retry_policy": "retry", "num_retries": "attempts", "tries": "attempts",
        "budget_percent": "budget", "retry_budget": "budget",
        "log": "access_log", "logs": "access_log", "accesslog": "access_log", "slowlog": "slow_log",
        "slow_query_log": "slow_log", "long_query_time": "over", "auditlog": "audit_log", "threshold": "over",
        "file": "path", "destination": "path", "sampling": "sample", "sample_rate": "sample",
        "ping": "heartbeat", "shutdown_timeout": "drain_timeout", "grace_period": "drain_timeout",
    ]

    /// Berth's key for `name`, if it is among `candidates`.
    static func berthName(for name: String, among candidates: [String]) -> String? {
        guard let key = names[name.lowercased()], candidates.contains(key) else { return nil }
        return key
    }
}
