import Foundation
import Kernel
import MCP
import Synchronization
import Testing

@testable import Telemetry

/// Calls as tests need them.
extension CallEvent {
    /// A good call of `get-weather`, with something in every field.
    static var sample: CallEvent {
        var event = CallEvent()
        event.startedAt = 1_795_734_292_123_456_789
        event.duration = 12_345_678
        event.offsets.connected = 250
        event.offsets.firstByte = 11_000
        event.requestBytes = 182
        event.responseBytes = 2_048
        event.session = 0x0123_4567_89ab_cdef
        event.trace.high = 0x4bf9_2f35_77b3_4da6
        event.trace.low = 0xa3ce_929d_0e0e_4736
        event.trace.parent = 0x00f0_67aa_0ba9_02b7
        event.trace.span = 0x0123_0000_0000_0001
        event.trace.flags = 1
        event.client = .ipv4(203, 0, 113, 5, port: 51_234)
        event.method = .toolsCall
        event.status = 200
        event.upstream = 0
        event.server = 1
        event.revision = 1 << 3
        event.flags = [.secure, .request]
        event.httpMethod = 2
        event.name = CallName("get-weather")
        return event
    }
}

extension CallEvent.ClientAddress {
    static func ipv4(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8, port: UInt16 = 0) -> Self {
        var address = Self()
        address.bytes[10] = 255
        address.bytes[11] = 255
        for (index, byte) in [a, b, c, d].enumerated() { address.bytes[12 + index] = byte }
        address.port = port
        return address
    }

    static func ipv6(_ groups: [UInt16]) -> Self {
        var address = Self()
        for (index, group) in groups.enumerated() {
            address.bytes[2 * index] = UInt8(group >> 8)
            address.bytes[2 * index + 1] = UInt8(group & 255)
        }
        return address
    }
}

extension CallName {
    init(bytes: [UInt8]) { self.init(bytes.span) }
}

extension CallNames {
    static var sample: CallNames {
        var names = CallNames()
        names.listeners = [Name("0.0.0.0:443")]
        names.upstreams = [Name("mcp")]
        names.servers = [Server("mcp-1:3001", upstream: "mcp"), Server("mcp-2:3001", upstream: "mcp")]
        names.reasons = [Name("no_route"), Name("queue_timeout")]
        names.httpMethods = [Name("GET"), Name("HEAD"), Name("POST"), Name("DELETE")]
        return names
    }
}

extension LogBuffer {
    var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// A log whose writes go as a script says, and then all of them well.
final class ScriptedDevice: LogDevice {
    enum Step: Equatable {
        /// Takes so many bytes at most.
        case take(Int)
        case block
        case fail(CInt)
    }

    var script: [Step]
    var batch: Int
    var takesDatagrams = false
    /// What it has, over all writes.
    private(set) var written: [UInt8] = []
    private(set) var writes = 0
    /// Which file it is.
    let file: Int

    init(_ script: [Step] = [], batch: Int = 1 << 18, file: Int = 0) {
        self.script = script
        self.batch = batch
        self.file = file
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> LogOutput.Written {
        writes += 1
        switch script.isEmpty ? .take(.max) : script.removeFirst() {
        case .take(let count):
            let taken = bytes.prefix(min(count, batch))
            written += taken
            return .bytes(taken.count)
        case .block: return .wouldBlock
        case .fail(let code): return .failed(SystemError("write", code: code))
        }
    }

    func continues(_ other: any LogDevice) -> Bool { (other as? ScriptedDevice)?.file == file }

    var text: String { String(decoding: written, as: UTF8.self) }
    var lines: [String] { text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }
}

/// What logs said of themselves.
final class Reports: Sendable {
    private let all = Mutex<[LogReport]>([])
    var texts: [String] { all.withLock { $0.map(\.text) } }
    var errors: Int { all.withLock { $0.count { $0.isError } } }
    func add(_ report: LogReport) { all.withLock { $0.append(report) } }
}

/// A folder that goes with the test.
struct TestFolder: ~Copyable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("logs-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func text(_ name: String) -> String { (try? String(contentsOfFile: "\(path)/\(name)", encoding: .utf8)) ?? "" }
}

/// Asks until it holds or the time is over.
func eventually(within limit: Interval = .seconds(60), _ holds: () -> Bool) -> Bool {
    let deadline = Instant.now() + limit
    let pause = try? Wake()
    while !holds() {
        guard Instant.now() < deadline else { return false }
        pause?.sleep(milliseconds: 2)
    }
    return true
}
