/// Directives that need no translation: what Berth does without them, and what it has nothing for.
enum KnownDirectives {
    /// Why a directive may be left out without loss; nil if that is not so, whatever its words.
    static func defaultReason(_ name: String) -> String? { reasons[name] ?? prefixes.first { name.hasPrefix($0.0) }?.1 }

    /// Why a directive cannot be carried over.
    static func lossReason(_ name: String) -> String {
        losses[name] ?? lossPrefixes.first { name.hasPrefix($0.0) }?.1 ?? "Berth has nothing for this directive"
    }

    private static let process = "the process of nginx"
    private static let sockets = "sockets and buffers are Berth's own"
    private static let streams = "events are forwarded at once"
    private static let tls = "forward secrecy and AEAD ciphers, TLS 1.2 and 1.3"
    private static let unused = "nothing that is imported uses it"

    /// `;`-separated names by reason.
    private static let groups: [(names: String, reason: String)] = [
        (
            "user pid daemon master_process worker_connections multi_accept use accept_mutex worker_rlimit_nofile "
                + "worker_cpu_affinity worker_priority worker_shutdown_timeout load_module env error_log pcre_jit "
                + "thread_pool timer_resolution lock_file working_directory worker_rlimit_core accept_mutex_delay",
            process
        ),
        (
            "sendfile tcp_nopush tcp_nodelay aio directio output_buffers postpone_output client_body_buffer_size "
                + "client_header_buffer_size large_client_header_buffers connection_pool_size request_pool_size "
                + "types_hash_max_size types_hash_bucket_size server_names_hash_bucket_size server_names_hash_max_size "
                + "map_hash_bucket_size map_hash_max_size variables_hash_max_size variables_hash_bucket_size "
                + "proxy_headers_hash_max_size proxy_headers_hash_bucket_size open_file_cache open_file_cache_valid "
                + "open_file_cache_errors open_file_cache_min_uses reset_timedout_connection lingering_close "
                + "lingering_time lingering_timeout client_body_temp_path proxy_temp_path proxy_max_temp_file_size "
                + "proxy_temp_file_write_size keepalive_requests keepalive_disable read_ahead sendfile_max_chunk "
                + "fastcgi_temp_path uwsgi_temp_path scgi_temp_path client_body_in_file_only send_lowat "
                + "client_body_in_single_buffer http2_recv_buffer_size http2_chunk_size http2_body_preread_size",
            sockets
        ),
        (
            "proxy_buffers proxy_buffer_size proxy_busy_buffers_size proxy_force_ranges", streams
        ),
        ("proxy_request_buffering", "bodies are forwarded as they come, small ones gathered"),
        (
            "proxy_no_cache proxy_cache_bypass proxy_cache_lock proxy_cache_key proxy_store proxy_cache_path "
                + "proxy_cache_valid proxy_cache_use_stale proxy_cache_min_uses proxy_cache_methods "
                + "proxy_cache_background_update proxy_cache_revalidate proxy_ignore_headers proxy_cache_lock_timeout",
            "nothing is cached unless [upstream.x.cache] says so"
        ),
        ("chunked_transfer_encoding", "responses keep their framing"),
        ("proxy_send_timeout send_timeout", "a peer that takes nothing for a minute is given up"),
        ("proxy_pass_request_headers proxy_pass_request_body", "both are forwarded"),
        ("proxy_pass_header", "what a server answers is passed on"),
        ("proxy_socket_keepalive", "vanished peers are noticed within a minute"),
        ("proxy_intercept_errors recursive_error_pages", "answers of servers are passed on as they are"),
        ("proxy_next_upstream_timeout proxy_next_upstream_tries", "retries have a budget"),
        ("proxy_ssl_session_reuse proxy_ssl_protocols proxy_ssl_ciphers proxy_ssl_verify_depth", tls),
        (
            "ssl_ciphers ssl_prefer_server_ciphers ssl_ecdh_curve ssl_dhparam ssl_conf_command ssl_buffer_size "
                + "ssl_reject_handshake",
            tls
        ),
        (
            "ssl_session_cache ssl_session_timeout ssl_session_tickets ssl_session_ticket_key ssl_early_data",
            "sessions are resumed by tickets"
        ),
        (
            "ssl_stapling ssl_stapling_verify ssl_trusted_certificate ssl_stapling_responder ssl_stapling_file",
            "clients do without; ocsp = staples a response from a file"
        ),
        ("ssl_verify_depth", "chains of certificates are verified to their end"),
        ("http2 http2_push http2_push_preload http2_idle_timeout http2_max_requests", "HTTP/2 and HTTP/1.1, by ALPN"),
        ("http3 http3_hq quic_gso quic_retry", "HTTP/2 and HTTP/1.1, by ALPN"),
        (
            "gzip gzip_vary gzip_proxied gzip_comp_level gzip_buffers gzip_http_version gzip_min_length gzip_disable "
                + "gunzip gzip_static brotli brotli_static brotli_comp_level brotli_types zstd zstd_types",
            "answers are passed on as servers code them"
        ),
        ("server_tokens", "no version is told"),
        ("log_format log_not_found log_subrequest open_log_file_cache", "lines of calls are JSON or text: Logs.md"),
        ("default_type charset charset_types override_charset source_charset", "types are those of the servers"),
        ("types", "files are not served"),
        ("resolver resolver_timeout", "names are resolved again while running"),
        (
            "proxy_redirect proxy_cookie_path proxy_cookie_domain proxy_cookie_flags absolute_redirect port_in_redirect "
                + "server_name_in_redirect",
            "Location and Set-Cookie are passed on as they are"
        ),
        (
            "merge_slashes ignore_invalid_headers underscores_in_headers max_headers large_client_header_count "
                + "subrequest_output_buffer_size msie_padding msie_refresh max_ranges etag if_modified_since",
            "requests are read as RFC 9112 says"
        ),
        ("proxy_set_body proxy_method", unused),
        ("index autoindex autoindex_exact_size autoindex_localtime", "files are not served"),
        ("real_ip_recursive", "the chain is followed through trusted proxies"),
        ("auth_delay", unused),
        ("break", "rewriting ends here anyway"),
        ("limit_req_log_level limit_conn_log_level limit_req_status limit_conn_status", unused),
        ("limit_req_dry_run limit_conn_dry_run rewrite_log uninitialized_variable_warn", process),
        ("variables sub_filter_once sub_filter_types sub_filter_last_modified", "with sub_filter"),
        ("more_set_input_headers_none", unused),
    ]
    private static let prefixes: [(String, String)] = []

    private static let reasons: [String: String] = {
        var all: [String: String] = [:]
        for group in groups { for name in group.names.split(separator: " ") { all[String(name)] = group.reason } }
        return all
    }()

    private static let losses: [String: String] = {
        var all: [String: String] = [:]
        let rates =
            "limits are written by hand: rate_limit of the route has rates, and concurrency for requests at once, by address, "
            + "session, caller or tool; connection_opens of the listener bounds connections"
        for name in ["limit_req", "limit_conn", "limit_rate"] { all[name] = rates }
        for name in ["limit_req_zone", "limit_conn_zone", "limit_rate_after"] {
            all[name] = "with the limit that uses it"
        }
        for name in ["root", "alias", "try_files"] {
            all[name] = "Berth serves no files, but for an ACME folder: leave them to a web server or a bucket"
        }
        all["mirror"] = "requests are not copied"
        all["internal"] = "there are no internal redirects"
        all["satisfy"] = "access goes by address alone"
        all["split_clients"] = "shares of new sessions are said by the weight of servers"
        all["geo"] = "values by client address: only allow and deny of [listen] go by it"
        all["stream"] = "TCP and UDP are not forwarded"
        all["mail"] = "mail is not forwarded"
        all["auth_request_set"] = "see auth_request"
        all["sub_filter"] = "bodies are not rewritten, but for the endpoint event of a route with strip_prefix"
        all["limit_except"] = "a route goes by host and path, not by method"
        all["expires"] = "responses keep their fields: response_headers can set Cache-Control"
        all["add_trailer"] = "trailers are passed on, none is added"
        all["proxy_bind"] = "connections to servers go out by the system's route"
        all["error_page"] = "Berth's own errors are JSON-RPC, which MCP clients can read"
        all["ssl_crl"] = "revoked client certificates are not looked up"
        all["ssl_password_file"] = "keys are files without a password"
        return all
    }()

    private static let lossPrefixes: [(String, String)] = [
        ("auth_", "Berth checks no credentials yet: servers do, as MCP's authorization says"),
        ("fastcgi_", "servers are spoken to in HTTP"), ("uwsgi_", "servers are spoken to in HTTP"),
        ("scgi_", "servers are spoken to in HTTP"), ("grpc_", "servers are spoken to in HTTP/1.1"),
        ("memcached_", "servers are spoken to in HTTP"),
        ("js_", "there are no scripts in a configuration"), ("lua_", "there are no scripts in a configuration"),
        ("perl", "there are no scripts in a configuration"),
        ("access_by_lua", "there are no scripts in a configuration"),
        ("content_by_lua", "there are no scripts in a configuration"),
        ("header_filter_by_lua", "there are no scripts in a configuration"),
        ("rewrite_by_lua", "there are no scripts in a configuration"),
        ("modsecurity", "requests are not inspected"), ("geoip", "countries of clients are not looked up"),
        ("proxy_cache", "GET and HEAD are not cached; see [upstream.x.cache]"),
    ]
}
