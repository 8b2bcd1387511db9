/// Configurations of other balancers as those who know them well would write them for this task.
enum PeerTemplates {
    /// nginx knows no session but what its hash is taken of: the client's address keeps whole sessions with their server
    /// for as long as that lives. A hash of `Mcp-Session-Id` would not, because the id is not known when the session is made.
    static let nginx = """
        daemon off;
        @USER@
        worker_processes 2;
        worker_rlimit_nofile 16384;
        worker_shutdown_timeout 10s;
        pid @DIR@/nginx.pid;
        error_log @DIR@/nginx-error.log error;
        events { worker_connections 8192; multi_accept on; }
        http {
            access_log off;
            client_body_temp_path @DIR@/body;
            proxy_temp_path @DIR@/proxy;
            fastcgi_temp_path @DIR@/fastcgi;
            uwsgi_temp_path @DIR@/uwsgi;
            scgi_temp_path @DIR@/scgi;
            tcp_nodelay on;
            keepalive_timeout 75s;
            keepalive_requests 100000000;
            lingering_close always;
            ssl_certificate @CERT@;
            ssl_certificate_key @KEY@;
            ssl_protocols TLSv1.2 TLSv1.3;
            upstream mcp {
                hash $remote_addr consistent;
                @SERVERS@
                keepalive 512;
                keepalive_requests 100000000;
            }
            proxy_http_version 1.1;
            proxy_buffering off;
            client_max_body_size 8m;
            proxy_connect_timeout 5s;
            proxy_read_timeout 1h;
            proxy_send_timeout 1h;
            proxy_next_upstream error;      # calls are POSTs, which it repeats only before they are sent
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            server {
                listen @LISTEN@ ssl http2 backlog=4096;
                add_header X-Revision @REVISION@;
                location / { proxy_pass http://mcp; }
            }
        }

        """

    /// HAProxy learns the id from the response that hands it out; `peers` hands the table on at a reload.
    static let haproxy = """
        global
            nbthread 2
            maxconn 8000
            hard-stop-after 10s
            stats socket @DIR@/haproxy.sock mode 600 level admin expose-fd listeners
            ssl-default-bind-options ssl-min-ver TLSv1.2
        defaults
            mode http
            no log
            option http-keep-alive
            option http-no-delay
            option redispatch
            http-reuse always
            retries 3
            retry-on conn-failure           # a call that may have been executed is not repeated
            timeout connect 5s
            timeout client 1h
            timeout server 1h
            timeout http-request 10s
            timeout http-keep-alive 75s
            timeout queue 10s
        frontend mcp
            bind @LISTEN@ ssl crt @BUNDLE@ alpn h2,http/1.1
            http-response set-header X-Revision @REVISION@
            default_backend mcp
        backend mcp
            balance roundrobin
            option httpchk GET /healthz
            default-server check inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
            stick-table type string len 64 size 100k expire 24h peers mine
            stick match req.hdr(mcp-session-id)
            stick store-response res.hdr(mcp-session-id)
            @SERVERS@
        peers mine
            peer prove 127.0.0.1:@PEERPORT@

        """
}
