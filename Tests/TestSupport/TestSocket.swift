import Glibc
package import Kernel

/// Sockets of clients and servers that do exactly what a test tells them to. All of it blocks.
package enum TestSocket {
    /// A connection to `address`, the caller's to close. `receiveBuffer`: bytes of SO_RCVBUF, 0 for the system's choice.
    package static func connect(to address: SocketAddress, receiveBuffer: CInt = 0) throws(SystemError) -> CInt {
        let socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        if receiveBuffer > 0 {
            var size = receiveBuffer
            setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<CInt>.size))
        }
        var (storage, length) = address.storage
        let outcome = withUnsafePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(socket, $0, length) }
        }
        guard outcome == 0 else {
            let code = errno
            Glibc.close(socket)
            throw SystemError("connect", code: code)
        }
        return socket
    }

    /// Sends all of it, however long that takes; less if the connection breaks.
    package static func send(_ bytes: [UInt8], to socket: CInt) {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress.map { $0 + offset }, bytes.count - offset, CInt(MSG_NOSIGNAL))
            }
            if count <= 0 { return }
            offset += count
        }
    }

    /// Closes the socket: with RST instead of FIN if `reset`.
    package static func close(_ socket: CInt, reset: Bool = false) {
        if reset { makeReset(socket) }
        Glibc.close(socket)
    }

    /// Makes the socket send RST when it is closed, and throw away what it has not sent.
    package static func makeReset(_ socket: CInt) {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
    }
}
