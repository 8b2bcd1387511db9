import FuzzChecks
import Foundation
import TestSupport
import Testing

/// Reads again what fuzzing has found and where it began: Tests/Fuzzing/Corpus, a folder for each target.
@Suite("Fuzzing: the corpora")
struct ReplayTests {
}
