package import Kernel

/// Where a log goes.
package enum LogTarget: Hashable, Sendable, CustomStringConvertible {
    case standardOutput
    case standardError
    /// Appended to; made with mode 0640 if it is not there.
    case file(String)
    /// The machine's own log daemon, by /dev/log.
    case syslog
    /// A log daemon behind UDP.
    case udp(SocketAddress)

    package var description: String {
        switch self {
        case .standardOutput: "standard output"
        case .standardError: "standard error"
        case .file(let path): path
        case .syslog: "syslog"
        case .udp(let address): "syslog at \(address)"
        }
    }

    /// Opens it. Throws the call that failed.
    func open() throws(SystemError) -> any LogDevice {
        switch self {
        case .standardOutput: SystemLogDevice(.standard(error: false))
        case .standardError: SystemLogDevice(.standard(error: true))
        case .file(let path): SystemLogDevice(try LogOutput(path: path))
        case .syslog: SystemLogDevice(try .datagrams(toSocket: "/dev/log"))
        case .udp(let address): SystemLogDevice(try .datagrams(to: address))
        }
    }
}

/// An open log, as the writer sees it. Tests have others than the kernel's.
protocol LogDevice: AnyObject {
    /// Bytes for one `write` at most.
    var batch: Int { get }
    /// Each `write` takes one line, without its end.
    var takesDatagrams: Bool { get }
    func write(_ bytes: UnsafeRawBufferPointer) -> LogOutput.Written
    /// Whether a line that was begun in one may be finished in the other.
    func continues(_ other: any LogDevice) -> Bool
}

/// An open log of the system.
final class SystemLogDevice: LogDevice {
    private let output: LogOutput

    init(_ output: consuming LogOutput) { self.output = output }

    var batch: Int { output.batch }
    var takesDatagrams: Bool { output.takesDatagrams }
    func write(_ bytes: UnsafeRawBufferPointer) -> LogOutput.Written { output.write(bytes) }

    func continues(_ other: any LogDevice) -> Bool {
        (other as? SystemLogDevice).map { output.isSameFile(as: $0.output) } ?? false
    }
}
