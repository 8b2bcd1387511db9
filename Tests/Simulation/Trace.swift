/// What the worker asked and was told. The digest covers everything, the entries only the end of a long run.
struct Trace {
    struct Entry {
        let time: UInt64
        let call: StaticString
        let subject: Int
        let outcome: Int
    }

    private static let kept = 2000

    private var entries: [Entry] = []
    private var oldest = 0
    private(set) var digest: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func record(_ entry: Entry) {
        mix(entry.time)
        for byte in entry.call.description.utf8 { mix(UInt64(byte)) }
        mix(UInt64(bitPattern: Int64(entry.subject)))
        mix(UInt64(bitPattern: Int64(entry.outcome)))
        if entries.count < Trace.kept {
            entries.append(entry)
        } else {
            entries[oldest] = entry
            oldest = (oldest + 1) % Trace.kept
        }
    }

    var text: [String] {
        (entries[oldest...] + entries[..<oldest]).map {
            "\($0.time / 1000) us \($0.call)(\($0.subject)) -> \($0.outcome)"
        }
    }

    /// FNV-1a over words, with a shift so that high bits reach low ones.
    private mutating func mix(_ word: UInt64) {
        digest = (digest ^ word) &* 0x0000_0100_0000_01b3
        digest ^= digest >> 29
    }
}
