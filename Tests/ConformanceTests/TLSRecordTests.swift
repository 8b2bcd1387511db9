import Foundation
import Testing

extension Conformance {
    /// Connections whose records are ours, beside connections that stay in OpenSSL.
    @Suite("TLS records")
    struct TLSRecords {
        @Test("What OpenSSL says to 73 ways of sending records, allowed and not, ours say too, in every cipher suite")
        func verdicts() async throws {
            try await withScratch { folder in
                let words = [BerthProcess.executable.path, folder.path]
                let client = try Script("tls_records.py", .v1, words, in: folder)

                #expect(try await client.expectAllRight().right == 219)
            }
        }
    }
}
