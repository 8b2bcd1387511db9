import Telemetry

/// Identifies a session by 128 bits that follow from the id that its client has, and from which the id does not follow.
struct SessionKey: Hashable, Sendable {
    let high: UInt64
    let low: UInt64

    /// No session's: what a legacy session, which is not recorded, has.
    static var none: SessionKey { SessionKey(high: 0, low: 0) }

    /// A number by which an operator can tell sessions apart, the same on every worker. No part of an id.
    var number: UInt64 {
        var mixed = high ^ (low << 32 | low >> 32)
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        return (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    }

    /// `number` as logs and admin pages show it.
    var digest: String { SessionDigest.text(number) }
}
