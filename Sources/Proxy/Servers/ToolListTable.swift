import Reactor

/// Responses to `tools/list` that are being read as they pass, by their exchange's slot. Bounded in number and size.
struct ToolListTable {
    /// Responses read at the same time; of more, nothing is learned.
    private static var maximumCount: Int { 16 }
    /// Bytes of one response that are looked at; of a longer one, nothing is learned.
    private static var maximumBytes: Int { 524_288 }

    private var bodies: [UInt32: [UInt8]] = [:]
    /// By server slot, whose list was read there last, and its bytes.
    private var lengths: [UInt16: (server: ServerID, bytes: Int)] = [:]

    var isEmpty: Bool { bodies.isEmpty }

    func contains(_ slot: UInt32) -> Bool { bodies[slot] != nil }

    mutating func begin(_ slot: UInt32) {
        if bodies.count < Self.maximumCount { bodies[slot] = [] }
    }

    /// Takes a piece of a body, if that is one that is read.
    mutating func append(_ slot: UInt32, _ buffer: borrowing ByteBuffer, _ range: ByteRange) {
        guard let count = bodies[slot]?.count else { return }
        guard count + Int(range.count) <= Self.maximumBytes else {
            bodies[slot] = nil
            return
        }
        bodies[slot]?.append(contentsOf: buffer.bytes(range.range))
    }

    /// The body, which is complete; nil if it was not read. It is forgotten here.
    mutating func finish(_ slot: UInt32) -> [UInt8]? { bodies.removeValue(forKey: slot) }

    mutating func discard(_ slot: UInt32) { bodies[slot] = nil }

    /// Whether a list of a server has another length than the one before it on this worker.
    mutating func isNews(_ bytes: Int, of server: ServerID) -> Bool {
        let last = lengths.updateValue((server, bytes), forKey: server.slot)
        return last?.server != server || last?.bytes != bytes
    }
}
