import Glibc
import Reactor

/// The `Date` field line (RFC 9110 §6.6.1) with the line ends before and after it, formatted once a second.
struct DateField: ~Copyable {
    private var second: UInt32 = 0
    private(set) var text: [UInt8] = []

    mutating func update(_ wallSeconds: UInt32) {
        guard wallSeconds != second || text.isEmpty else { return }
        second = wallSeconds
        var moment = time_t(wallSeconds)
        var parts = tm()
        gmtime_r(&moment, &parts)
        text = [UInt8](unsafeUninitializedCapacity: 48) { buffer, initialized in
            buffer.withMemoryRebound(to: CChar.self) {
                // No locale is set, so the names are English, as RFC 9110 §5.6.7 requires.
                initialized = strftime($0.baseAddress, $0.count, "\r\nDate: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts)
            }
        }
    }
}
