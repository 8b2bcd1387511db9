/// Names that other programs use for what Berth has.
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
        "sticky": "session", "identity": "affinity", "every": "interval", "affinity": "session",
        "healthcheck": "health_check", "health": "health_check",
        "healthy_threshold": "rise", "unhealthy_threshold": "fall", "retries": "fall",
        "uri": "path", "keepalive": "min", "keepalive_timeout": "idle_timeout", "max_idle": "min",
        "read_timeout": "first_byte", "proxy_read_timeout": "first_byte", "keep_alive": "heartbeat",
        "ping": "heartbeat", "shutdown_timeout": "drain_timeout", "grace_period": "drain_timeout",
    ]

    /// Our name for a foreign one, if the table at hand has it.
    static func ours(for name: String, among candidates: [String]) -> String? {
        guard let ours = names[name.lowercased()], candidates.contains(ours) else { return nil }
        return ours
    }
}
