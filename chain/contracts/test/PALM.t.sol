// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {PALM} from "src/PALM.sol";
import {Kit} from "./Kit.sol";

contract PALMTest is Kit {
    PALM private palm;
    address private constant LIQUIDITY = address(0x11);
    address private constant RESERVE = address(0x22);

    function setUp() public {
        palm = new PALM(LIQUIDITY, RESERVE);
    }

    function test_launch_gives_out_the_published_allocation() public view {
        vm.assertEq(palm.CAP(), 1e17, "100,000,000 with 9 decimals");
        vm.assertEq(palm.decimals(), 9, "decimals");
        vm.assertEq(palm.symbol(), "PALM", "symbol");
        vm.assertEq(palm.balanceOf(LIQUIDITY), palm.CAP() * 75 / 100, "75% to liquidity");
        vm.assertEq(palm.balanceOf(RESERVE), palm.CAP() * 5 / 100, "5% to the reserve");
        vm.assertEq(palm.totalBurned(), 20_000_000e9, "burned at launch");
        vm.assertEq(palm.totalSupply(), 80_000_000e9, "what is left");
        vm.assertEq(palm.balanceOf(address(palm)), 0, "nothing stays in the contract");
    }

    function test_launch_burn_is_a_transfer_to_zero() public {
        address next = _next();
        vm.expectEmit(next);
        emit IERC20.Transfer(address(0), LIQUIDITY, 75_000_000e9);
        vm.expectEmit(next);
        emit IERC20.Transfer(address(0), RESERVE, 5_000_000e9);
        vm.expectEmit(next);
        emit IERC20.Transfer(address(0), next, 20_000_000e9);
        vm.expectEmit(next);
        emit IERC20.Transfer(next, address(0), 20_000_000e9);
        vm.expectEmit(next);
        emit PALM.Launched(LIQUIDITY, RESERVE, 20_000_000e9);
        new PALM(LIQUIDITY, RESERVE);
    }

    function test_published_figures_after_the_later_burn() public {
        vm.prank(RESERVE);
        palm.burn(2_500_000e9);
        vm.assertEq(palm.totalSupply(), 77_500_000e9, "circulating");
        vm.assertEq(palm.totalBurned(), 22_500_000e9, "22.5% burned");
    }

    function test_launch_refuses_one_holder_or_none() public {
        vm.expectRevert(abi.encodeWithSelector(PALM.OneHolder.selector, LIQUIDITY));
        new PALM(LIQUIDITY, LIQUIDITY);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InvalidReceiver.selector, address(0)));
        new PALM(address(0), RESERVE);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InvalidReceiver.selector, address(0)));
        new PALM(LIQUIDITY, address(0));
    }

    function test_nobody_mints() public {
        string[4] memory names = ["mint(address,uint256)", "mint(uint256)", "issue(address,uint256)", "owner()"];
        for (uint256 i = 0; i < names.length; i++) {
            (bool done,) = address(palm).call(abi.encodeWithSignature(names[i], LIQUIDITY, 1));
            vm.assertTrue(!done, names[i]);
        }
    }

    function testFuzz_burn_lowers_the_supply(uint256 amount) public {
        amount = within(amount, 0, 75_000_000e9);
        vm.prank(LIQUIDITY);
        palm.burn(amount);
        vm.assertEq(palm.totalSupply() + palm.totalBurned(), palm.CAP(), "supply + burned = cap");
        vm.assertEq(palm.totalBurned(), 20_000_000e9 + amount, "burned");
    }

    function testFuzz_burnFrom_needs_an_allowance(uint256 allowed, uint256 amount) public {
        amount = within(amount, 1, 5_000_000e9);
        allowed = within(allowed, 0, amount - 1);
        vm.prank(RESERVE);
        palm.approve(address(this), allowed);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(this), allowed, amount));
        palm.burnFrom(RESERVE, amount);
    }

    function testFuzz_permit(uint256 key, uint256 value, uint256 deadline) public {
        key = within(key, 1, type(uint128).max);
        deadline = within(deadline, block.timestamp, type(uint64).max);
        address owner = vm.addr(key);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _digest(owner, value, 0, deadline));
        palm.permit(owner, address(this), value, deadline, v, r, s);
        vm.assertEq(palm.allowance(owner, address(this)), value, "allowance");
        vm.assertEq(palm.nonces(owner), 1, "nonce");
        try palm.permit(owner, address(this), value, deadline, v, r, s) { revert("a signature counted twice"); } catch (bytes memory reason) {
            vm.assertTrue(selectorOf(reason) == ERC20Permit.ERC2612InvalidSigner.selector, "the nonce is used");
        }
    }

    function test_permit_ends_at_its_deadline() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(7, _digest(vm.addr(7), 1, 0, 1000));
        vm.warp(1001);
        vm.expectRevert(abi.encodeWithSelector(ERC20Permit.ERC2612ExpiredSignature.selector, 1000));
        palm.permit(vm.addr(7), address(this), 1, 1000, v, r, s);
    }

    function _digest(address owner, uint256 value, uint256 nonce, uint256 deadline) private view returns (bytes32) {
        bytes32 domain = keccak256(abi.encode(
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
            keccak256("PALM"), keccak256("1"), block.chainid, address(palm)
        ));
        bytes32 permit = keccak256(abi.encode(
            keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
            owner, address(this), value, nonce, deadline
        ));
        return keccak256(abi.encodePacked(hex"1901", domain, permit));
    }

    // Where this contract's next CREATE lands: its first one was made in setUp.
    function _next() private view returns (address) {
        return address(uint160(uint256(keccak256(abi.encodePacked(hex"d694", address(this), hex"02")))));
    }
}

// Moves PALM between a few holders in every way there is, and counts what was burned.
contract PALMHandler is Kit {
    PALM public palm;
    address[] public holders;
    uint256 public burned;

    constructor() {
        for (uint256 i = 1; i <= 5; i++) holders.push(vm.addr(i));
        palm = new PALM(holders[0], holders[1]);
    }

    function transfer(uint256 from, uint256 to, uint256 amount) external {
        address payer = _holder(from);
        amount = within(amount, 0, palm.balanceOf(payer));
        vm.prank(payer);
        palm.transfer(_holder(to), amount);
    }

    function transferFrom(uint256 from, uint256 by, uint256 to, uint256 amount) external {
        address payer = _holder(from);
        amount = _allow(payer, _holder(by), amount);
        vm.prank(_holder(by));
        palm.transferFrom(payer, _holder(to), amount);
    }

    function burn(uint256 from, uint256 amount) external {
        address payer = _holder(from);
        amount = within(amount, 0, palm.balanceOf(payer));
        vm.prank(payer);
        palm.burn(amount);
        burned += amount;
    }

    function burnFrom(uint256 from, uint256 by, uint256 amount) external {
        address payer = _holder(from);
        amount = _allow(payer, _holder(by), amount);
        vm.prank(_holder(by));
        palm.burnFrom(payer, amount);
        burned += amount;
    }

    function too_much(uint256 from, uint256 amount) external {
        address payer = _holder(from);
        amount = within(amount, palm.balanceOf(payer) + 1, type(uint256).max - 1);
        vm.prank(payer);
        try palm.burn(amount) { revert("burned more than there was"); } catch {}
    }

    function _holder(uint256 no) private view returns (address) {
        return holders[no % holders.length];
    }

    function _allow(address payer, address spender, uint256 amount) private returns (uint256) {
        amount = within(amount, 0, palm.balanceOf(payer));
        vm.prank(payer);
        palm.approve(spender, amount);
        return amount;
    }
}

contract PALMInvariants is Kit {
    PALMHandler private handler;

    function setUp() public {
        handler = new PALMHandler();
    }

    function targetContracts() public view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(handler);
    }

    function invariant_supply_and_burned_are_the_cap() public view {
        PALM palm = handler.palm();
        vm.assertEq(palm.totalSupply() + handler.burned() + palm.BURNED_AT_LAUNCH(), palm.CAP(), "supply + burned = cap");
        vm.assertEq(palm.totalBurned(), handler.burned() + palm.BURNED_AT_LAUNCH(), "the contract's own count");
        uint256 sum = 0;
        for (uint256 i = 0; i < 5; i++) sum += palm.balanceOf(handler.holders(i));
        vm.assertEq(sum, palm.totalSupply(), "all that is left belongs to somebody");
    }
}
