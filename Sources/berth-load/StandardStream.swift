import Foundation

/// Standard output and standard error.
enum StandardStream {
    case output, error

    /// Writes text. What a reader that has gone, as `head` does, would have read is lost; the command goes on to its exit
    /// code. (`FileHandle.write(_:)` would trap.)
    func write(_ text: String) {
        let handle: FileHandle = self == .output ? .standardOutput : .standardError
        try? handle.write(contentsOf: Data(text.utf8))
    }
}
