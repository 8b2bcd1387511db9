/// The secrets that ticket keys are derived from. All Berths of a fleet have the same ones, so that each resumes the
/// sessions of the others, and of itself before a restart.
///
/// The keys change every 12 hours by the clock. A ticket is valid in the period it was made in and in the next one, and
/// also in the one before, because clocks of a fleet differ. Anyone who has the secrets can decrypt all tickets, so
/// they must be protected like the keys that sign session ids.
package struct TicketSecrets: Equatable, Sendable {
    /// At least 32 bytes each, newest first: the first encrypts new tickets, all decrypt.
    package var secrets: [[UInt8]]
    /// Added to the clock, in seconds. Tests use it to reach a later period.
    package var secondsAhead: Int64 = 0

    /// Stores the secrets.
    package init(_ secrets: [[UInt8]]) {
        self.secrets = secrets
    }
}
