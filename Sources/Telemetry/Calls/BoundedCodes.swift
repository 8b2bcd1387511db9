import Synchronization

/// Numbers that peers choose, as far as they become labels: those that are known beforehand, and others in the order they come,
/// 32 in all. Any thread may ask. Its memory is never freed.
struct BoundedCodes: @unchecked Sendable {
    static var count: Int { 32 }
    /// 0: free.
    private let codes: UnsafeMutablePointer<Atomic<Int32>>

    init(known: [Int32]) {
        codes = .allocate(capacity: Self.count)
        for index in 0..<Self.count {
            (codes + index).initialize(to: Atomic(known.indices.contains(index) ? known[index] : 0))
        }
    }

    /// The place of a code, which it gets here if there is one; nil for 0, and if all places are taken.
    func index(of code: Int32) -> Int? {
        guard code != 0 else { return nil }
        for index in 0..<Self.count {
            let known = codes[index].load(ordering: .relaxed)
            if known == code { return index }
            guard known == 0 else { continue }
            let taken = codes[index].compareExchange(expected: 0, desired: code, ordering: .relaxed)
            if taken.exchanged || taken.original == code { return index }
        }
        return nil
    }

    /// The code in a place; 0: it is free.
    subscript(index: Int) -> Int32 { codes[index & (Self.count - 1)].load(ordering: .relaxed) }

    /// Errors of JSON-RPC 2.0 section 5.1 and of MCP.
    static func rpc() -> BoundedCodes {
        BoundedCodes(known: [
            -32700, -32600, -32601, -32602, -32603, -32000, -32001, -32002, -32020, -32042,
        ])
    }
    /// Statuses that are errors (RFC 9110 section 15), the frequent ones.
    static func statuses() -> BoundedCodes {
        BoundedCodes(known: [
            400, 401, 403, 404, 405, 406, 408, 409, 410, 413, 415, 422, 429, 500, 501, 502, 503, 504,
        ])
    }
}
