import Glibc
import Reactor

/// The field line `Date` (RFC 9110 §6.6.1) between the line ends around it, written anew once a second.
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
                // No locale is ever set, so the names are English as the RFC wants them.
                initialized = strftime($0.baseAddress, $0.count, "\r\nDate: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts)
            }
        }
    }
}
