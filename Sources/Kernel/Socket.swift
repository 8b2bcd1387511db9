import CLinux
import Glibc

/// Makes sockets. Everything that is done with one afterwards goes through a `World`.
public enum Socket {
    /// Opens a non-blocking listener, which the caller closes. With `shared`, several workers listen on one address
    /// (SO_REUSEPORT) and the kernel spreads the connections. `backlog` is how many connections may wait to be accepted;
    /// net.core.somaxconn bounds it. TCP_NODELAY and `options` are set because accepted sockets inherit them. Throws the call that failed:
    /// `bind` with EADDRINUSE or EACCES most often.
    public static func listen(
        on address: SocketAddress, shared: Bool, backlog: CInt = 4096, tcp options: TCPOptions = TCPOptions()
    ) throws(SystemError) -> Descriptor {
        let raw = berth_stream_socket(address.isIPv4 ? AF_INET : AF_INET6)
        guard raw >= 0 else { throw .last("socket") }
        do throws(SystemError) {
            try set(raw, SOL_SOCKET, SO_REUSEADDR, 1)
            if shared { try set(raw, SOL_SOCKET, SO_REUSEPORT, 1) }
            if !address.isIPv4 { try set(raw, CInt(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
            try set(raw, CInt(IPPROTO_TCP), TCP_NODELAY, 1)
            apply(options, to: raw)
            var (storage, length) = address.storage
            guard berth_bind(raw, &storage, length) == 0 else { throw .last("bind") }
            guard Glibc.listen(raw, backlog) == 0 else { throw .last("listen") }
            return Descriptor(raw)
        } catch {
            Glibc.close(raw)
            throw error
        }
    }

    /// Lets other sockets listen at the address of a listener that was opened without `shared`, whether or not it has
    /// accepted: from here on the kernel spreads connections among them (SO_REUSEPORT).
    public static func share(_ listener: Descriptor) throws(SystemError) {
        try set(listener.raw, SOL_SOCKET, SO_REUSEPORT, 1)
    }

    /// Closes a socket that no `World` was given.
    public static func close(_ descriptor: Descriptor) {
        Glibc.close(descriptor.raw)
    }

    /// The address a socket is bound to, with the port that the kernel chose if port 0 was asked for; nil if it is no IP
    /// socket.
    public static func localAddress(_ descriptor: Descriptor) -> SocketAddress? {
        var storage = sockaddr_storage()
        guard berth_local_address(descriptor.raw, &storage) == 0 else { return nil }
        return SocketAddress(storage)
    }

    /// Starts a connection without waiting for it. The caller owns the descriptor.
    static func dial(_ address: SocketAddress, _ options: TCPOptions) -> ConnectResult {
        let raw = berth_stream_socket(address.isIPv4 ? AF_INET : AF_INET6)
        guard raw >= 0 else { return .failed(errno) }
        _ = berth_set_option(raw, CInt(IPPROTO_TCP), TCP_NODELAY, 1)
        apply(options, to: raw)
        var (storage, length) = address.storage
        if berth_connect(raw, &storage, length) == 0 || errno == EINPROGRESS { return .started(Descriptor(raw)) }
        let code = errno
        Glibc.close(raw)
        return .failed(code)
    }

    /// A kernel that knows an option not, or finds its value too large, does without it.
    static func apply(_ options: TCPOptions, to raw: CInt) {
        let level = CInt(IPPROTO_TCP)
        if options.keepAlive > 0 {
            _ = berth_set_option(raw, SOL_SOCKET, SO_KEEPALIVE, 1)
            _ = berth_set_option(raw, level, TCP_KEEPIDLE, options.keepAlive)
            _ = berth_set_option(raw, level, TCP_KEEPINTVL, options.probeInterval)
            _ = berth_set_option(raw, level, TCP_KEEPCNT, TCPOptions.probes)
        }
        if options.userTimeout > 0 { _ = berth_set_option(raw, level, TCP_USER_TIMEOUT, options.userTimeout) }
    }

    private static func set(_ raw: CInt, _ level: CInt, _ name: CInt, _ value: CInt) throws(SystemError) {
        guard berth_set_option(raw, level, name, value) == 0 else { throw .last("setsockopt") }
    }
}
