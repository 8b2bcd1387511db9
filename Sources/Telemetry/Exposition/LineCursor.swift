/// Writes the lines of a histogram into space that is large enough for them: most of a page of metrics.
struct LineCursor {
    private let space: UnsafeMutablePointer<UInt8>
    /// Bytes that are written.
    private(set) var count = 0

    /// `space` must outlive the cursor, and have space for all that is appended.
    init(_ space: UnsafeMutablePointer<UInt8>) { self.space = space }

    /// The buckets, each with those before it; `bounds` are the texts behind the labels, the last one for all; then sum and count.
    mutating func append(_ histogram: CallHistogram, _ name: String, _ labels: [UInt8], _ bounds: [[UInt8]]) {
        let start = count
        append(name)
        append("_bucket{")
        append(labels)
        if !labels.isEmpty { append(",") }
        let prefix = count - start
        var total: Int64 = 0
        for index in bounds.indices {
            if index > 0 {
                (space + count).update(from: space + start, count: prefix)
                count &+= prefix
            }
            total &+= histogram.counts[index]
            append(bounds[index])
            append(total)
            append("\n")
        }
        append(name)
        append("_sum", labels)
        append(nanoseconds: histogram.nanoseconds)
        append("\n")
        append(name)
        append("_count", labels)
        append(total)
        append("\n")
    }

    private mutating func append(_ suffix: StaticString, _ labels: [UInt8]) {
        append(suffix)
        guard !labels.isEmpty else { return append(" ") }
        append("{")
        append(labels)
        append("} ")
    }

    // MARK: - Parts

    @inline(__always)
    private mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return }
            (space + count).update(from: base, count: bytes.count)
            count &+= bytes.count
        }
    }

    private mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            guard let base = bytes.baseAddress else { return }
            (space + count).update(from: base, count: bytes.count)
            count &+= bytes.count
        }
    }

    @inline(__always)
    private mutating func append(_ text: StaticString) {
        (space + count).update(from: text.utf8Start, count: text.utf8CodeUnitCount)
        count &+= text.utf8CodeUnitCount
    }

    /// A number that is not negative.
    @inline(__always)
    private mutating func append(_ value: Int64) {
        var rest = UInt64(max(0, value))
        var digits = 1
        var bound: UInt64 = 10
        while digits < 19, rest >= bound {
            digits &+= 1
            bound &*= 10
        }
        count &+= digits
        for place in 1...digits {
            space[count &- place] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }

    private mutating func append(nanoseconds: Int64) {
        let value = max(0, nanoseconds)
        append(value / 1_000_000_000)
        var fraction = value % 1_000_000_000
        guard fraction > 0 else { return }
        append(".")
        var digits = 9
        while fraction % 10 == 0 {
            fraction /= 10
            digits &-= 1
        }
        for place in stride(from: digits - 1, through: 0, by: -1) {
            space[count &+ place] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: fraction % 10)
            fraction /= 10
        }
        count &+= digits
    }
}
