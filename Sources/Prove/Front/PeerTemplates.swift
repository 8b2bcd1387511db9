/// Configurations of other balancers as those who know them well would write them for this task.
enum PeerTemplates {
    /// nginx learns no session. A hash of the id is the same server each time, but not the one that made the session; a server
    /// that does not know the id answers 404, and nginx then asks the next, until one knows it. Repeating a call is safe here,
    /// because only the server that has the session executes it. No server is left out for a while after an error
    /// (`max_fails=0`): the sessions that it has would be lost. What has no session goes to the server with the fewest
    /// connections, and is not repeated. Old workers may stay until their event streams have ended.
    static let nginx = """
        daemon off;
        @USER@
        worker_processes 2;
        worker_rlimit_nofile 16384;
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
            upstream new {
                least_conn;
                server @OPEN@ fail_timeout=1s;
                keepalive 512;
                keepalive_requests 100000000;
            }
            upstream sessions {
                hash $http_mcp_session_id consistent;
                server @SERVER@ max_fails=0;
                keepalive 512;
                keepalive_requests 100000000;
            }
            proxy_http_version 1.1;
            proxy_buffering off;
            client_max_body_size 8m;
            client_body_buffer_size 64k;
            proxy_connect_timeout 1s;
            proxy_read_timeout 1h;
            proxy_send_timeout 1h;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            server {
                listen @LISTEN@ ssl http2 backlog=4096;
                add_header X-Revision @REVISION@;
                location / {
                    if ($http_mcp_session_id) { rewrite ^ /session$uri last; }
                    proxy_pass http://new;
                    proxy_next_upstream error;      # POSTs are repeated only if they were not sent
                }
                location /session/ {
                    internal;
                    rewrite ^/session(/.*)$ $1 break;
                    proxy_pass http://sessions;
                    proxy_next_upstream error http_404 non_idempotent;
                    error_page 502 = @gone;         # those that can be asked do not know it, the last one is down
                }
                location @gone { return 404; }
            }
        }

        """

    /// HAProxy learns the id from the response that hands it out; `peers` hands the table on at a reload. A server that stands
    /// still keeps its sessions (`persist`), and one that refuses connections is given up at once (`redispatch 1`). Old
    /// processes may stay until their event streams have ended. A server drains with weight 0.
    static let haproxy = """
        global
            nbthread 2
            maxconn 8000
            hard-stop-after 24h
            stats socket @DIR@/haproxy.sock mode 600 level admin expose-fd listeners
            ssl-default-bind-options ssl-min-ver TLSv1.2
        defaults
            mode http
            no log
            option http-keep-alive
            option http-no-delay
            option idle-close-on-response   # or a reload closes idle connections while requests are on their way
            option redispatch 1
            option persist
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
            default-server check inter 500ms fall 2 rise 1
            stick-table type string len 64 size 100k expire 24h peers mine
            stick match req.hdr(mcp-session-id)
            stick store-response res.hdr(mcp-session-id)
            server @NAME@ @SERVER@ weight @WEIGHT@
        peers mine
            peer prove 127.0.0.1:@PEERPORT@

        """
}
