import Glibc
package import Kernel

/// A file with one entry for each tool call that a server has executed. Entries are written before the call is
/// answered, straight to the kernel, so that they outlive a server that is killed.
package final class ExecutionLog: Sendable {
    /// One executed call.
    package struct Entry: Hashable, Sendable {
        /// The JSON-RPC id of the call.
        package let id: UInt64
        /// Whether the tool is declared read-only, so that a second execution does no harm.
        package let isReadOnly: Bool

        package init(id: UInt64, isReadOnly: Bool) {
            self.id = id
            self.isReadOnly = isReadOnly
        }

        fileprivate var packed: UInt64 { id << 1 | (isReadOnly ? 1 : 0) }

        fileprivate init(packed: UInt64) { self.init(id: packed >> 1, isReadOnly: packed & 1 == 1) }
    }

    private let descriptor: CInt

    /// Opens the file, which is made if it is missing; entries are appended. Throws if it cannot be opened.
    package init(path: String) throws(SystemError) {
        descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemError("open", code: errno) }
    }

    deinit { close(descriptor) }

    /// Appends an entry. Ids of 63 bits or more are no ids of a load generator, and are left out.
    func append(_ entry: Entry) {
        guard entry.id < 1 << 62 else { return }
        var packed = entry.packed.littleEndian
        _ = write(descriptor, &packed, 8)
    }

    /// The entries of a file, in order; none if it cannot be read. An entry that was cut off is left out.
    package static func entries(path: String) -> [Entry] {
        guard let file = fopen(path, "rb") else { return [] }
        defer { fclose(file) }
        var entries: [Entry] = []
        var block = [UInt64](repeating: 0, count: 8_192)
        while true {
            let count = fread(&block, 8, block.count, file)
            if count == 0 { return entries }
            entries += block[..<count].map { Entry(packed: UInt64(littleEndian: $0)) }
        }
    }
}
