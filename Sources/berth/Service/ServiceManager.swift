import Kernel

/// Tells systemd how this process is doing (sd_notify(3)). It says nothing where systemd does not listen.
struct ServiceManager: Sendable {
    /// What can be said.
    enum Message: Equatable {
        /// All listeners accept; after a start, a reload or an upgrade, whatever came of it.
        case ready(status: String)
        /// A reload or an upgrade has begun, at this time on the monotonic clock.
        case reloading(at: Instant, status: String)
        /// The process will end.
        case stopping(status: String)
        /// Another process is the main one from here on, and is ready.
        case replaced(by: CInt, status: String)

        /// As systemd reads it.
        var text: String {
            switch self {
            case .ready(let status): "READY=1\nSTATUS=\(status)"
            case .reloading(let time, let status):
                "RELOADING=1\nMONOTONIC_USEC=\(time.nanoseconds / 1_000)\nSTATUS=\(status)"
            case .stopping(let status): "STOPPING=1\nSTATUS=\(status)"
            case .replaced(let process, let status): "MAINPID=\(process)\nREADY=1\nSTATUS=\(status)"
            }
        }
    }

    /// The socket's path, with "@" in front in the abstract namespace; nil: nobody listens.
    let path: String?

    /// Only absolute paths and abstract names are sockets of systemd's that this version can reach.
    init(path: String?) {
        self.path = path.flatMap { $0.hasPrefix("/") || $0.hasPrefix("@") ? $0 : nil }
    }

    /// Says it; a manager that does not hear it is no reason to do anything else.
    func say(_ message: Message) {
        guard let path else { return }
        do throws(SystemError) { try Socket.sendDatagram(message.text, to: path) } catch {}
    }
}
