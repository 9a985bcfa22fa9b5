// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {BurnModule} from "src/BurnModule.sol";
import {TreasuryModule} from "src/TreasuryModule.sol";
import {TreasuryModuleHandler, TreasuryModuleInvariants, TreasuryModuleKit, TreasuryModuleTest} from "./TreasuryModule.t.sol";

abstract contract BurnModuleKit is TreasuryModuleKit {
    function _module() internal view returns (BurnModule) {
        return BurnModule(address(made));
    }

    function _deploy(IERC20 token, address treasury, address admin, address keeper, uint256 limit) internal override returns (TreasuryModule) {
        return new BurnModule(ERC20Burnable(address(token)), treasury, admin, keeper, limit);
    }

    function _setKeeperCall(address next) internal pure override returns (bytes memory) {
        return abi.encodeCall(BurnModule.setBurner, (next));
    }

    function _keeper() internal view override returns (address) {
        return _module().burner();
    }

    function _spentToday() internal view override returns (uint256) {
        return _module().burnedToday();
    }

    function _totalSpent() internal view override returns (uint256) {
        return _module().totalBurned();
    }

    function _spendCount() internal view override returns (uint256) {
        return _module().batchCount();
    }

    function _spentFor(bytes32 id) internal view override returns (uint256) {
        return _module().batch(id).amount;
    }
}

// What it promises as every module does is tested in TreasuryModule.t.sol.
contract BurnModuleTest is BurnModuleKit, TreasuryModuleTest {
    BurnModule private module;
    address private constant BURNER = KEEPER;
    bytes32 private constant ROOT = bytes32(uint256(0x7007));

    function setUp() public override {
        super.setUp();
        module = _module();
    }

    function _spend(address by, bytes32 id, uint256 amount) internal override {
        vm.prank(by);
        module.burn(id, amount, ROOT);
    }

    function _notKeeper(address caller) internal pure override returns (bytes memory) {
        return abi.encodeWithSelector(BurnModule.NotBurner.selector, caller);
    }

    function _emitKeeperChanged(address previous, address current) internal override {
        emit BurnModule.BurnerChanged(previous, current);
    }

    function test_burn_burns_and_tells() public {
        vm.roll(77);
        vm.expectEmit(address(module));
        emit BurnModule.BatchBurned(ID, ROOT, 5e9, 20_000);
        vm.expectEmit(address(palm));
        emit IERC20.Transfer(TREASURY, address(0), 5e9);
        _spend(BURNER, ID, 5e9);
        BurnModule.Batch memory b = module.batch(ID);
        vm.assertEq(b.amount, 5e9, "amount");
        vm.assertEq(b.root, ROOT, "root");
        vm.assertEq(b.blockNumber, 77, "block");
        vm.assertEq(b.timestamp, NOON, "time");
        vm.assertEq(palm.totalBurned(), 20_000_000e9 + 5e9, "burned of PALM");
        vm.assertEq(palm.balanceOf(TREASURY), 75_000_000e9 - 5e9, "the treasury paid");
        vm.assertEq(module.totalBurned(), 5e9, "burned here");
        vm.assertEq(module.batchCount(), 1, "batches");
        vm.assertEq(module.burnedToday(), 5e9, "today");
        vm.assertEq(module.leftToday(), LIMIT - 5e9, "left");
        vm.assertEq(palm.balanceOf(address(module)), 0, "it holds nothing");
    }

    function testFuzz_an_id_burns_once(bytes32 id, uint256 amount, uint256 again, bytes32 root, uint256 later) public {
        vm.assume(id != 0);
        amount = within(amount, 1, LIMIT);
        _spend(BURNER, id, amount);
        vm.warp(NOON + within(later, 0, 3650 days));
        vm.expectRevert(abi.encodeWithSelector(BurnModule.AlreadyBurned.selector, id, amount, ROOT));
        vm.prank(BURNER);
        module.burn(id, again, root);
        vm.assertEq(module.totalBurned(), amount, "nothing more");
    }

    function test_burn_refuses_what_is_empty() public {
        bytes32[3] memory ids = [bytes32(0), ID, ID];
        uint256[3] memory amounts = [uint256(1), 0, 1];
        bytes32[3] memory roots = [ROOT, ROOT, bytes32(0)];
        for (uint256 i = 0; i < 3; i++) {
            vm.expectRevert(abi.encodeWithSelector(BurnModule.EmptyBatch.selector, ids[i], amounts[i], roots[i]));
            vm.prank(BURNER);
            module.burn(ids[i], amounts[i], roots[i]);
        }
    }

    // Trees of every small shape: each accrual is proven, and nothing that was changed by a bit.
    function testFuzz_proofs(uint256 count, uint256 which, uint256 seed) public {
        count = within(count, 1, 40);
        which = within(which, 0, count - 1);
        bytes32[] memory node = new bytes32[](2 * count - 1);
        for (uint256 i = 0; i < count; i++) {
            node[count - 1 + i] = keccak256(bytes.concat(keccak256(abi.encode(i, seed % 1e17, keccak256(abi.encode(seed, i))))));
        }
        for (uint256 i = count - 1; i > 0; i--) node[i - 1] = _pair(node[2 * i - 1], node[2 * i]);
        bytes32[] memory proof = _proof(node, count - 1 + which);
        bytes32 reason = keccak256(abi.encode(seed, which));

        vm.assertTrue(!module.provesAccrual(ID, which, seed % 1e17, reason, proof), "before the burn");
        vm.prank(BURNER);
        module.burn(ID, 1, node[0]);
        vm.assertTrue(module.provesAccrual(ID, which, seed % 1e17, reason, proof), "proven");
        vm.assertTrue(module.proves(ID, module.accrualBytes(which, seed % 1e17, reason), proof), "proven by its bytes");
        vm.assertTrue(!module.provesAccrual(ID, which + 1, seed % 1e17, reason, proof), "another number");
        vm.assertTrue(!module.provesAccrual(ID, which, seed % 1e17 + 1, reason, proof), "another amount");
        vm.assertTrue(!module.provesAccrual(ID, which, seed % 1e17, ~reason, proof), "another reason");
        vm.assertTrue(!module.provesAccrual("other", which, seed % 1e17, reason, proof), "another batch");
        if (count == 1) return;
        vm.assertTrue(!module.proves(ID, abi.encodePacked(node[1], node[2]), new bytes32[](0)), "an inner node is no leaf");
        proof[0] ^= bytes32(uint256(1));
        vm.assertTrue(!module.provesAccrual(ID, which, seed % 1e17, reason, proof), "another proof");
    }

    function _pair(bytes32 a, bytes32 b) private pure returns (bytes32) {
        return a < b ? keccak256(abi.encodePacked(a, b)) : keccak256(abi.encodePacked(b, a));
    }

    function _proof(bytes32[] memory node, uint256 leaf) private pure returns (bytes32[] memory proof) {
        uint256 depth = 0;
        for (uint256 i = leaf; i > 0; i = (i - 1) / 2) depth++;
        proof = new bytes32[](depth);
        for ((uint256 i, uint256 n) = (leaf, 0); i > 0; i = (i - 1) / 2) proof[n++] = node[i % 2 == 1 ? i + 1 : i - 1];
    }
}

contract BurnHandler is BurnModuleKit, TreasuryModuleHandler {
    mapping(bytes32 id => bytes32) public rootOf;

    function burn(uint256 by, uint256 no, uint256 amount, bytes32 root) external {
        address caller = _caller(by);
        bytes32 id = ids[no % ids.length];
        amount = within(amount, 0, 600);
        uint256 today = spentOn[_day()];
        bool due = caller == keeper && !paused && amountOf[id] == 0 && amount > 0 && root != 0 && today + amount <= limit;
        uint256 supply = palm.totalSupply();
        vm.prank(caller);
        try _module().burn(id, amount, root) {
            vm.assertTrue(due, "burned what should have been refused");
            vm.assertEq(supply - palm.totalSupply(), amount, "exactly this was burned");
            _spentNow(id, amount);
            rootOf[id] = root;
        } catch {
            vm.assertTrue(!due, "refused what was due");
            vm.assertEq(supply, palm.totalSupply(), "nothing was burned");
        }
    }

    function look_at_batches() external view {
        for (uint256 i = 0; i < ids.length; i++) {
            vm.assertEq(_module().batch(ids[i]).root, rootOf[ids[i]], "the first burn's root");
        }
        vm.assertEq(palm.totalBurned(), palm.BURNED_AT_LAUNCH() + spent, "PALM agrees");
        vm.assertEq(palm.totalSupply() + palm.totalBurned(), palm.CAP(), "supply + burned = cap");
    }
}

contract BurnModuleInvariants is TreasuryModuleInvariants {
    BurnHandler private handler;

    function setUp() public {
        handler = new BurnHandler();
    }

    function _handler() internal view override returns (TreasuryModuleHandler, bytes4) {
        return (handler, handler.burn.selector);
    }

    // One run for all promises: what takes time is the sequence, not the looking.
    function invariant_burns() public view {
        handler.look();
        handler.look_at_batches();
    }
}
