import Glibc

/// The errno values that a proxy tells apart.
public enum ErrorNumber {
    /// ECONNREFUSED: nothing listens there.
    public static var refused: CInt { ECONNREFUSED }
    /// EPIPE: the peer had closed before our bytes arrived.
    public static var brokenPipe: CInt { EPIPE }
    /// EHOSTUNREACH: there is no address to reach the host at.
    public static var unreachable: CInt { EHOSTUNREACH }
    /// ETIMEDOUT.
    public static var timedOut: CInt { ETIMEDOUT }
    /// EIO: bytes were lost on this machine.
    public static var inputOutput: CInt { EIO }
    /// ENOMEM.
    public static var outOfMemory: CInt { ENOMEM }
    /// EPROTO: what the peer sent breaks the protocol.
    public static var protocolError: CInt { EPROTO }

    /// EMSGSIZE: a datagram that is longer than its receiver takes.
    public static var messageTooLong: CInt { EMSGSIZE }

    /// Whether a file cannot grow: the disk is full, or this user's share of it, or the file may be no longer.
    public static func isDiskFull(_ code: CInt) -> Bool { code == ENOSPC || code == EDQUOT || code == EFBIG }

    /// What strerror(3) says, in lower case: "connection refused".
    public static func text(_ code: CInt) -> String { String(cString: strerror(code)).lowercased() }

    /// Whether a machine lacks an address family, IPv6 most often: it has no such sockets, or no such addresses.
    public static func isFamilyMissing(_ code: CInt) -> Bool { code == EAFNOSUPPORT || code == EADDRNOTAVAIL }

    /// Whether this process may not bind a socket to an address: it is another's, or the port is privileged.
    public static func isAddressRefused(_ code: CInt) -> Bool {
        code == EADDRINUSE || code == EACCES || code == EPERM
    }

    /// Whether a connection could not be opened for want of something on this machine: descriptors, memory, local ports.
    public static func isOwnFault(_ code: CInt) -> Bool {
        switch code {
        case EAGAIN, ENOMEM, ENFILE, EMFILE, EADDRNOTAVAIL, ENOBUFS: true
        default: false
        }
    }
}
