import CLinux
import Glibc

/// Stream sockets in the file system (unix(7)): for processes of one machine, behind the permissions of a file.
public enum UnixSocket {
    /// The longest path, in bytes.
    public static var longestPath: Int { berth_unix_path_limit() }

    /// Opens a non-blocking listener at `path` that only this user, and root, can connect to (mode 0600). The caller closes
    /// it; the file stays. A socket in its place is removed if nobody listens at it. Throws the call that failed: `bind` with
    /// EADDRINUSE where somebody does, or where the file is no socket.
    public static func listen(at path: String, backlog: CInt = 128) throws(SystemError) -> Descriptor {
        let raw = berth_stream_socket(AF_UNIX)
        guard raw >= 0 else { throw .last("socket") }
        do throws(SystemError) {
            // Before it is bound: the file must not be open to others for a moment (Linux keeps the mode of the socket).
            guard fchmod(raw, 0o600) == 0 else { throw .last("fchmod") }
            var (storage, length) = try address(path)
            if berth_bind(raw, &storage, length) != 0 {
                guard errno == EADDRINUSE, isAbandoned(path), unlink(path) == 0 else { throw .last("bind") }
                guard berth_bind(raw, &storage, length) == 0 else { throw .last("bind") }
            }
            guard Glibc.listen(raw, backlog) == 0 else { throw .last("listen") }
            return Descriptor(raw)
        } catch {
            Glibc.close(raw)
            throw error
        }
    }

    /// Connects to the listener at `path`. The caller owns the descriptor. EAGAIN says that its backlog is full.
    public static func dial(_ path: String) -> ConnectResult {
        let raw = berth_stream_socket(AF_UNIX)
        guard raw >= 0 else { return .failed(errno) }
        do throws(SystemError) {
            var (storage, length) = try address(path)
            if berth_connect(raw, &storage, length) == 0 { return .started(Descriptor(raw)) }
            throw .last("connect")
        } catch {
            Glibc.close(raw)
            return .failed(error.code)
        }
    }

    /// The user whose process is at the other end of a connection; nil if it is none of a Unix socket.
    public static func peerUser(_ descriptor: Descriptor) -> UInt32? {
        UInt32(exactly: berth_peer_user(descriptor.raw))
    }

    /// Whether a socket is at the path, and nobody listens at it any more. EADDRINUSE stays what `errno` says.
    private static func isAbandoned(_ path: String) -> Bool {
        defer { errno = EADDRINUSE }
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return false }
        guard case .failed(let code) = dial(path) else { return false }
        return code == ECONNREFUSED
    }

    private static func address(_ path: String) throws(SystemError) -> (sockaddr_storage, socklen_t) {
        var storage = sockaddr_storage()
        let length = path.utf8.contains(0) ? 0 : berth_unix_address(path, path.utf8.count, &storage)
        guard length > 0 else { throw SystemError("bind", code: ENAMETOOLONG) }
        return (storage, length)
    }
}
