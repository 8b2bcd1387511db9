import Foundation

/// The doors by which libFuzzer comes in. The target is named by BERTH_FUZZ_TARGET.
private let target: FuzzTarget = {
    let name = ProcessInfo.processInfo.environment["BERTH_FUZZ_TARGET"] ?? ""
    guard let target = FuzzTarget.named(name) else {
        fatalError("BERTH_FUZZ_TARGET is none of: " + FuzzTarget.all.map(\.name).joined(separator: " "))
    }
    return target
}()

/// Checks one input; ends the process at a finding, as libFuzzer wants it.
@c(LLVMFuzzerTestOneInput)
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: min(count, target.maximumBytes)))
    if let finding = target.finding(for: bytes) { fatalError(finding) }
    return 0
}
