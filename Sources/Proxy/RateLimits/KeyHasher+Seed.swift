import Kernel
import RateLimiting

extension KeyHasher {
    /// A secret for hashing keys that clients choose: with it nobody can choose those that meet in a table.
    static func randomSeed() -> (UInt64, UInt64) {
        let bytes = Machine.randomBytes(16)
        let words = [bytes.prefix(8), bytes.dropFirst(8)].map { $0.reduce(0) { $0 << 8 | UInt64($1) } }
        return (words[0], words[1])
    }
}
