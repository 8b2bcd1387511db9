import CLinux
import Glibc

/// Listening sockets that another process has opened.
extension Socket {
    /// Whether this is a TCP socket that listens.
    public static func isListener(_ descriptor: Descriptor) -> Bool {
        acceptsStreams(descriptor) && localAddress(descriptor) != nil
    }

    /// Whether this is a Unix socket that listens for streams.
    public static func isUnixListener(_ descriptor: Descriptor) -> Bool {
        acceptsStreams(descriptor) && berth_option(descriptor.raw, SOL_SOCKET, SO_DOMAIN) == AF_UNIX
    }

    private static func acceptsStreams(_ descriptor: Descriptor) -> Bool {
        berth_option(descriptor.raw, SOL_SOCKET, SO_ACCEPTCONN) == 1
            && berth_option(descriptor.raw, SOL_SOCKET, SO_TYPE) == CInt(SOCK_STREAM.rawValue)
    }

    /// Makes a descriptor non-blocking, and closed on exec, as those are that we open. systemd's are neither.
    public static func makeOurs(_ descriptor: Descriptor) {
        _ = fcntl(descriptor.raw, F_SETFD, FD_CLOEXEC)
        let flags = fcntl(descriptor.raw, F_GETFL)
        if flags >= 0, flags & O_NONBLOCK == 0 { _ = fcntl(descriptor.raw, F_SETFL, flags | O_NONBLOCK) }
    }

    /// Sets on an inherited listener what `listen` sets, for the connections that are yet to come.
    public static func prepareInherited(_ listener: Descriptor, tcp options: TCPOptions) {
        makeOurs(listener)
        _ = berth_set_option(listener.raw, CInt(IPPROTO_TCP), TCP_NODELAY, 1)
        apply(options, to: listener.raw)
    }

    /// Another descriptor of the same socket, closed on exec. The caller closes it. Throws EMFILE or EBADF.
    public static func duplicate(_ descriptor: Descriptor) throws(SystemError) -> Descriptor {
        let raw = fcntl(descriptor.raw, F_DUPFD_CLOEXEC, 0)
        guard raw >= 0 else { throw .last("fcntl") }
        return Descriptor(raw)
    }

    /// Sends one datagram to the Unix socket at `path`; with "@" in front, in the abstract namespace. Throws what socket(2) or
    /// sendto(2) fail with.
    public static func sendDatagram(_ text: String, to path: String) throws(SystemError) {
        var (path, text) = (path, text)
        let code = path.withUTF8 { path in
            text.withUTF8 { text in
                path.withMemoryRebound(to: CChar.self) {
                    berth_send_datagram($0.baseAddress, $0.count, text.baseAddress, text.count)
                }
            }
        }
        guard code == 0 else { throw .last("sendto") }
    }
}
