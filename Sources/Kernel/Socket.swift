import CLinux
import Glibc

/// Making sockets. What is done with one afterwards goes through the `World`.
public enum Socket {
    /// Opens a non-blocking listener. With `shared`, several workers listen on one address (SO_REUSEPORT) and the
    /// kernel spreads the connections. TCP_NODELAY is set here because accepted sockets inherit it.
    public static func listen(
        on address: SocketAddress, shared: Bool, backlog: CInt = 4096
    ) throws(SystemError) -> Descriptor {
        let raw = berth_stream_socket(address.isIPv4 ? AF_INET : AF_INET6)
        guard raw >= 0 else { throw .last("socket") }
        do throws(SystemError) {
            try set(raw, SOL_SOCKET, SO_REUSEADDR, 1)
            if shared { try set(raw, SOL_SOCKET, SO_REUSEPORT, 1) }
            if !address.isIPv4 { try set(raw, CInt(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
            try set(raw, CInt(IPPROTO_TCP), TCP_NODELAY, 1)
            var (storage, length) = address.storage
            guard berth_bind(raw, &storage, length) == 0 else { throw .last("bind") }
            guard Glibc.listen(raw, backlog) == 0 else { throw .last("listen") }
            return Descriptor(raw)
        } catch {
            Glibc.close(raw)
            throw error
        }
    }

    /// The address the kernel gave, where port 0 was asked for.
    public static func localAddress(_ descriptor: Descriptor) -> SocketAddress? {
        var storage = sockaddr_storage()
        guard berth_local_address(descriptor.raw, &storage) == 0 else { return nil }
        return SocketAddress(storage)
    }

    /// Starts a connection without waiting for it.
    static func dial(_ address: SocketAddress) -> ConnectResult {
        let raw = berth_stream_socket(address.isIPv4 ? AF_INET : AF_INET6)
        guard raw >= 0 else { return .failed(errno) }
        _ = berth_set_option(raw, CInt(IPPROTO_TCP), TCP_NODELAY, 1)
        var (storage, length) = address.storage
        if berth_connect(raw, &storage, length) == 0 || errno == EINPROGRESS { return .started(Descriptor(raw)) }
        let code = errno
        Glibc.close(raw)
        return .failed(code)
    }

    private static func set(_ raw: CInt, _ level: CInt, _ name: CInt, _ value: CInt) throws(SystemError) {
        guard berth_set_option(raw, level, name, value) == 0 else { throw .last("setsockopt") }
    }
}
