/// `allow` and `deny`: whose requests are served, by the client's address. Of the blocks that have the address the longest
/// prefix decides; where none has it, it is served unless something is allowed.
package struct AccessConfiguration: Sendable, Equatable {
    /// Blocks whose clients are served. None is in `denied` too.
    package var allowed: [AddressRange] = []
    /// Blocks whose clients get 403.
    package var denied: [AddressRange] = []

    /// Everybody is served.
    package var isOpen: Bool { allowed.isEmpty && denied.isEmpty }

    /// Blocks in one list, at most.
    static let maximumBlocks = 1_000
}
