import Kernel

/// Puts what syslog wants before a line.
struct SyslogFraming {
    /// Facility local0 (16), severity informational (6), as RFC 5424 section 6.2.1 counts them.
    private static var priority: StaticString { "<134>" }

    private let process = ThisProcess.id
    private let host = Machine.hostName
    private var time = LogTime()

    /// Calls `body` with the message that has this line: for the daemon of this machine as RFC 3164 has it, without a host, which
    /// is what syslog(3) sends; over the network as RFC 5424 has it.
    mutating func withMessage<Result>(
        of line: UnsafeRawBufferPointer, for target: LogTarget, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        var message = LogBuffer()
        message.append(Self.priority)
        let now = UInt64(WallClock.seconds()) * 1_000_000_000
        if case .udp = target {
            message.append("1 ")
            time.append(internet: now, to: &message)
            message.append(" ")
            message.append(escaping: host)
            message.append(" berth ")
            message.append(decimal: Int(process))
            message.append(" - - ")
        } else {
            time.append(syslog: now, to: &message)
            message.append(" berth[")
            message.append(decimal: Int(process))
            message.append("]: ")
        }
        line.withMemoryRebound(to: UInt8.self) { message.append($0) }
        return body(message.bytes)
    }
}
