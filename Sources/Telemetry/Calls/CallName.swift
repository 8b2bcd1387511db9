/// The name of a tool or a prompt, or the URI of a resource, in a value of fixed size. What is longer is cut.
package struct CallName: BitwiseCopyable, Sendable {
    /// Bytes that are kept at most.
    package static var maximumBytes: Int { 63 }

    private var bytes = InlineArray<63, UInt8>(repeating: 0)
    /// Bytes that are there.
    package private(set) var count: UInt8 = 0

    /// No name.
    package init() {}

    /// The beginning of a name, as it stands between its quotes in a JSON text, escapes as written.
    package init(_ text: Span<UInt8>) {
        let kept = min(text.count, Self.maximumBytes)
        for index in 0..<kept { bytes[index] = text[index] }
        count = UInt8(truncatingIfNeeded: kept)
    }

    /// There is no name.
    package var isEmpty: Bool { count == 0 }

    /// The bytes, from 0 to `count`.
    package subscript(index: Int) -> UInt8 { bytes[index] }

    /// Calls `body` with all bytes: the name, zeros, and in the last one its length.
    @inline(__always)
    func withBytes<Value>(_ body: (UnsafeRawBufferPointer) -> Value) -> Value { withUnsafeBytes(of: self, body) }

    /// The name for people: bytes that are no UTF-8 are replaced.
    package var text: String { String(decoding: (0..<Int(count)).map { bytes[$0] }, as: UTF8.self) }
}
